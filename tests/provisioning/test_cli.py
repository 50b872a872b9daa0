import sys
from io import StringIO
from types import ModuleType, SimpleNamespace

import pytest
from cryptography import x509

from edge.identity.certificates import load_chain, pin
from provisioning.cli import main

HOST = ["--host", "localhost"]


@pytest.fixture
def passphrase(tmp_path):
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery\n")
    return ["--passphrase-file", str(file)]


@pytest.fixture
def ca(tmp_path, passphrase, capsys):
    assert main(["ca", "init", str(tmp_path / "ca"), *HOST, *passphrase]) == 0
    capsys.readouterr()
    return str(tmp_path / "ca" / "authority")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_ca_init_makes_all_that_a_deployment_begins_with(tmp_path, passphrase, capsys):
    assert main(["ca", "init", str(tmp_path / "ca"), "--name", "Border", *HOST, *passphrase]) == 0
    folder = tmp_path / "ca"
    assert {part: names(folder / part) for part in names(folder)} == {
        "authority": ["ca.crt", "issuing.crt", "issuing.key", "signing.crt", "signing.key"],
        "broker": ["broker.crt", "broker.key", "ca.crt", "revoked.pem"],
        "centre": ["opening.key.json", "opening.pub.json", "receipt.key.json", "receipt.pub.json"],
        "collector-1": ["ca.crt", "client.crt", "client.key"],
        "enrolment": ["ca.crt", "client.crt", "client.key", "enrolment.crt", "enrolment.key"],
        "offline": ["root.key"],
    }
    told = capsys.readouterr().out
    assert "take offline/ to a safe" in told
    assert pin(load_chain((folder / "authority" / "ca.crt").read_bytes())[0]) in told
    assert max(len(line) for line in told.splitlines()[1:]) <= 80


def test_the_first_revocation_list_is_empty_and_the_issuing_authoritys(ca, tmp_path):
    crl = x509.load_pem_x509_crl((tmp_path / "ca" / "broker" / "revoked.pem").read_bytes())
    issuing = load_chain((tmp_path / "ca" / "authority" / "issuing.crt").read_bytes())[0]
    assert list(crl) == []
    assert crl.is_signature_valid(issuing.public_key())


def test_nobody_at_the_keyboard_is_no_passphrase(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", StringIO())
    assert main(["ca", "init", str(tmp_path / "ca"), *HOST]) == 2
    assert "give --passphrase-file" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "status"), [(["long enough to do"] * 2, 0), (["long enough to do", "another"], 2)])
def test_a_passphrase_is_typed_twice(tmp_path, monkeypatch, typed, status):
    answers = iter(typed)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    assert main(["ca", "init", str(tmp_path / "ca"), *HOST]) == status


@pytest.mark.parametrize(
    ("verb", "files"),
    [
        (["broker", "--host", "localhost", "--host", "127.0.0.1"], ["broker.crt", "broker.key", "ca.crt"]),
        (["kiosk", "--site", "khb", "--kiosk", "kiosk-1"], ["ca.crt", "client.crt", "client.key"]),
        (["collector", "--name", "collector-1"], ["ca.crt", "client.crt", "client.key"]),
    ],
)
def test_ca_issues_for_broker_kiosk_and_collector(ca, tmp_path, capsys, verb, files):
    assert main(["ca", *verb, "--ca", ca, str(tmp_path / "out")]) == 0
    assert "good until" in capsys.readouterr().out
    assert names(tmp_path / "out") == files


def test_centre_and_kiosk_keys_say_what_the_other_side_needs(tmp_path, capsys):
    assert main(["centre", "keys", str(tmp_path / "centre")]) == 0
    assert main(["kiosk", "keys", str(tmp_path / "kiosk")]) == 0
    assert capsys.readouterr().out.count(".pub.json and nothing else") == 2


def test_what_can_be_mended_is_one_line_and_exit_status_2(ca, passphrase, tmp_path, capsys):
    assert main(["ca", "init", str(tmp_path / "ca"), *HOST, *passphrase]) == 2
    assert main(["ca", "broker", "--ca", str(tmp_path / "nowhere"), "--host", "x", str(tmp_path / "out")]) == 2
    assert main(["ca", "kiosk", "--ca", ca, "--site", "KHB", "--kiosk", "k", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.split(":")[0] for line in shown.err.splitlines()] == ["landfall-provision"] * 3


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["centre", "keys", str(tmp_path / "file" / "below")]) == 2
    assert "Not a directory" in capsys.readouterr().err


def typed_by_nobody(prompt=""):
    raise EOFError


def interrupted(prompt=""):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("keyboard", "status"), [(typed_by_nobody, 2), (interrupted, 130)])
def test_whoever_leaves_a_question_is_told_in_one_line(tmp_path, monkeypatch, capsys, keyboard, status):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", keyboard)
    assert main(["ca", "init", str(tmp_path / "ca"), *HOST]) == status
    assert capsys.readouterr().err.strip().startswith("landfall-provision: stopped")
    assert not (tmp_path / "ca").exists()


def test_a_passphrase_that_is_no_text_is_named(tmp_path, capsys):
    (tmp_path / "passphrase").write_bytes(b"Geb\xfchrenz\xe4hler\n")
    assert main(["ca", "init", str(tmp_path / "ca"), *HOST, "--passphrase-file", str(tmp_path / "passphrase")]) == 2
    assert "passphrase: is not text in UTF-8; save it as UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(("owner", "remedy"), [(1000, "; type sudo in front"), (0, "")])
def test_who_may_not_do_it_is_told_to_type_sudo(tmp_path, monkeypatch, capsys, owner, remedy):
    def refused(arguments):
        raise PermissionError(13, "Permission denied", "/etc/landfall")

    monkeypatch.setattr("provisioning.cli._make_centre_keys", refused)
    monkeypatch.setattr("os.geteuid", lambda: owner)
    assert main(["centre", "keys", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"landfall-provision: /etc/landfall: Permission denied{remedy}\n"


def test_at_a_terminal_a_long_sentence_is_folded_between_words(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["enrol", "renew", "--root", "/nowhere/at/all"]) == 2
    assert main(["ca", "renew", "--ca", "/" + "a" * 60 + "/b", "out"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 2 and max(map(len, lines)) <= 80


@pytest.mark.parametrize("argv", [[], ["ca"], ["ca", "init"], ["ca", "broker", "out"], ["fly"]])
def test_wrong_use_is_exit_status_2(argv, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2


def test_the_demo_gets_its_options_as_they_are(monkeypatch):
    given = []
    demo = ModuleType("provisioning.demo")
    demo.main = lambda argv: given.append(argv) or 7
    monkeypatch.setitem(sys.modules, "provisioning.demo", demo)
    monkeypatch.setattr("provisioning.demo", demo, raising=False)
    assert main(["demo", "--headless", "--crossings", "3", "--help"]) == 7
    assert given == [["--headless", "--crossings", "3", "--help"]]
