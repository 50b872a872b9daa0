import sys
from types import ModuleType

import pytest

from provisioning.cli import main


@pytest.fixture
def ca(tmp_path, capsys):
    assert main(["ca", "init", str(tmp_path / "ca")]) == 0
    capsys.readouterr()
    return str(tmp_path / "ca")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_ca_init_says_until_when_and_what_to_guard(tmp_path, capsys):
    assert main(["ca", "init", str(tmp_path / "ca"), "--name", "Border"]) == 0
    assert "keep ca.key off every networked machine" in capsys.readouterr().out
    assert names(tmp_path / "ca") == ["ca.crt", "ca.key"]


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


def test_what_can_be_mended_is_one_line_and_exit_status_2(ca, tmp_path, capsys):
    assert main(["ca", "init", ca]) == 2
    assert main(["ca", "broker", "--ca", str(tmp_path / "nowhere"), "--host", "x", str(tmp_path / "out")]) == 2
    assert main(["ca", "kiosk", "--ca", ca, "--site", "KHB", "--kiosk", "k", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.split(":")[0] for line in shown.err.splitlines()] == ["landfall-provision"] * 3


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["centre", "keys", str(tmp_path / "file" / "below")]) == 2
    assert "Not a directory" in capsys.readouterr().err


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
