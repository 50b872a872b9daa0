"""The verbs that a technician types at the kiosk, and what the screen says."""

import errno
import io
from datetime import timedelta
from types import SimpleNamespace

import pytest

from central.cli import main as central
from edge.identity import enrolment
from edge.identity.certificates import pin, utc_now
from provisioning.cli import main
from tests.provisioning.conftest import KIOSK


@pytest.fixture
def keyboard(monkeypatch):
    """Let somebody sit at the keyboard and answer."""

    def sits(*answers):
        said = iter(answers)
        monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr("builtins.input", lambda prompt="": next(said))

    monkeypatch.setattr("sys.stdin", io.StringIO())
    return sits


def install(post, *options):
    return main(["install", "--root", str(post.machine.root), *options, str(post.made.bundle)])


def test_a_technician_compares_the_pin_types_y_and_that_is_all(office, at_post, keyboard, capsys):
    post = at_post(office)
    keyboard("y")
    assert install(post) == 0
    shown = capsys.readouterr().out
    assert post.made.pin in shown
    assert shown.index(post.made.pin) < shown.index("[1/7]"), "the pin is compared before anything is done"
    assert shown.endswith(f"{KIOSK} is set up.\n")
    assert max(len(line) for line in shown.splitlines() if str(post.machine.root) not in line) <= 80


def test_whoever_does_not_say_yes_changes_nothing(office, at_post, keyboard, capsys):
    post = at_post(office)
    keyboard("")
    assert install(post) == 2
    assert "nothing was changed" in capsys.readouterr().err
    assert not list(post.machine.root.iterdir())


def test_nobody_at_the_keyboard_needs_the_pin_of_the_label(office, at_post, keyboard, capsys):
    post = at_post(office)
    assert install(post, "--yes") == 2
    assert "give --pin as the label has it" in capsys.readouterr().err
    assert install(post, "--yes", "--pin", "AAAA-AAAA-AAAA-AAAA-AAAA") == 2
    assert "it is not your office's" in capsys.readouterr().err
    assert install(post, "--yes", "--pin", post.made.pin.lower().replace("-", " ")) == 0


def test_a_machine_that_knows_its_authority_asks_for_no_pin_again(office, at_post, keyboard):
    post = at_post(office)
    assert install(post, "--yes", "--pin", post.made.pin) == 0
    assert install(post, "--yes") == 0


def test_another_bundle_for_the_same_kiosk_is_asked_about_again(closed_office, at_post, keyboard, capsys):
    post, later = at_post(closed_office), at_post(closed_office, "later", replaces=True)
    keyboard("y")
    assert install(post) == 1
    keyboard("n")
    other = SimpleNamespace(machine=post.machine, made=later.made)
    assert install(other) == 2
    assert "stopped; nothing was changed" in capsys.readouterr().err


def test_a_stick_with_the_bundles_of_several_kiosks_is_told_by_their_names(at_post, office, capsys):
    post = at_post(office)
    other = post.made.bundle.with_name("dm-roseau_ferry-02.landfall")
    assert install(post, str(other)) == 2
    said = capsys.readouterr().err
    assert "these are several bundles: dm-roseau_ferry-02.landfall, " in said
    assert post.made.bundle.name in said
    assert not list(post.machine.root.iterdir())


def test_a_centre_that_does_not_answer_is_status_1_and_says_how_it_goes_on(closed_office, at_post, keyboard, capsys):
    post = at_post(closed_office)
    assert install(post, "--yes", "--pin", post.made.pin) == 1
    shown = capsys.readouterr().out
    assert "not yet: the centre does not answer at localhost:1" in shown
    assert "type the same command again" in shown
    written = post.made.bundle.parent / "request_dm-roseau_ferry-01.json"
    assert enrolment.decode_request(written.read_bytes()).fingerprint in shown
    assert max(len(line) for line in shown.splitlines() if str(post.machine.root.parent) not in line) <= 80


def test_a_bundle_that_lies_where_nobody_may_write_says_how_a_request_gets_onto_a_stick(
    closed_office, at_post, keyboard, capsys, monkeypatch
):
    post = at_post(closed_office)

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("provisioning.install.write_request", refuse)
    assert install(post, "--yes", "--pin", post.made.pin) == 1
    shown = capsys.readouterr().out
    assert "cannot be written (Read-only file system)" in shown
    assert "landfall-provision enrol request --out STICK" in shown


def test_what_is_no_bundle_is_one_line(tmp_path, capsys):
    (tmp_path / "photo.landfall").write_bytes(b"\xff\xd8" * 1000)
    assert main(["install", "--root", str(tmp_path), str(tmp_path / "photo.landfall")]) == 2
    assert capsys.readouterr().err == (
        "landfall-provision: this is no bundle, or a damaged one; copy it again, or have a new one made\n"
    )


def test_by_stick_it_comes_to_the_same_end(closed_office, at_post, deployment, keyboard, tmp_path, capsys):
    post, stick = at_post(closed_office), tmp_path / "stick"
    stick.mkdir()
    root = ["--root", str(post.machine.root)]
    assert install(post, "--yes", "--offline", "--pin", post.made.pin) == 1
    assert main(["enrol", "request", *root, "--out", str(stick)]) == 0
    fingerprint = capsys.readouterr().out.rsplit("fingerprint:", 1)[1].split()[0]
    (file,) = stick.iterdir()
    settings = central_settings(tmp_path, deployment)
    sign = ["enrol", "sign", "--config", str(settings), str(file)]
    assert central([*sign, "--fingerprint", "AAAA-AAAA-AAAA-AAAA"]) == 1
    assert "do not sign it" in capsys.readouterr().err
    assert central([*sign, "--fingerprint", fingerprint.lower()]) == 0
    answer = stick / "answer_dm-roseau_ferry-01.jws"
    assert main(["enrol", "accept", *root, str(answer)]) == 0
    assert post.machine.keys.certificate(KIOSK) is not None
    assert post.machine.enrolment().code == ""


def test_without_a_network_the_same_command_is_typed_twice_and_nothing_else(
    closed_office, at_post, deployment, keyboard, tmp_path, capsys
):
    post = at_post(closed_office)
    stick = post.made.bundle.parent
    keyboard("y")
    assert install(post) == 1
    fingerprint = capsys.readouterr().out.partition("fingerprint:")[2].split()[0]
    request = stick / "request_dm-roseau_ferry-01.json"
    sign = ["enrol", "sign", "--config", str(central_settings(tmp_path, deployment)), str(request)]
    assert central([*sign, "--fingerprint", fingerprint]) == 0
    keyboard()  # nothing is asked a second time
    assert install(post) == 0
    assert "is enrolled, by the answer on the stick" in capsys.readouterr().out
    assert post.machine.keys.certificate(KIOSK) is not None
    assert post.machine.enrolment().code == ""


def test_an_answer_on_the_stick_that_is_for_another_card_is_named_and_changes_nothing(
    closed_office, at_post, keyboard, capsys
):
    mine, theirs = at_post(closed_office, "mine"), at_post(closed_office, "theirs", replaces=True)
    install(theirs, "--yes", "--offline", "--pin", theirs.made.pin)
    answer = mine.made.bundle.parent / "answer_dm-roseau_ferry-01.jws"
    answer.write_text(closed_office.desk.enrol_by_hand(theirs.machine.keys.request(KIOSK)))
    assert install(mine, "--yes", "--pin", mine.made.pin) == 2
    said = capsys.readouterr().err
    assert f"{answer}: the answer is for other keys than this kiosk has" in said
    assert "remove the file, and run this again" in said
    assert mine.machine.keys.certificate(KIOSK) is None


def test_an_answer_for_other_keys_is_not_taken(office, at_post, keyboard, tmp_path, capsys):
    mine, theirs = at_post(office, "mine"), at_post(office, "theirs", replaces=True)
    for post in (mine, theirs):
        install(post, "--yes", "--offline", "--pin", post.made.pin)
    request = theirs.machine.keys.request(KIOSK)
    answer = tmp_path / "answer.jws"
    answer.write_text(office.desk.enrol_by_hand(request))
    assert main(["enrol", "accept", "--root", str(mine.machine.root), str(answer)]) == 2
    assert "for other keys than this kiosk has" in capsys.readouterr().err
    assert mine.machine.keys.certificate(KIOSK) is None


def test_a_new_code_is_typed_by_hand(office, at_post, keyboard, capsys):
    post = at_post(office)
    install(post, "--yes", "--offline", "--pin", post.made.pin)
    code, _ = office.desk.invite(KIOSK, timedelta(hours=1))
    keyboard(code.lower())
    assert main(["enrol", "code", "--root", str(post.machine.root)]) == 0
    assert post.machine.keys.certificate(KIOSK) is not None


def test_the_timer_does_what_is_due_and_nothing_else(office, at_post, keyboard, capsys):
    post = at_post(office)
    install(post, "--yes", "--pin", post.made.pin)
    before = (post.machine.keys.folder / "client.crt").read_bytes()
    capsys.readouterr()
    assert main(["enrol", "renew", "--root", str(post.machine.root)]) == 0
    assert capsys.readouterr().out.startswith("good until ")
    assert (post.machine.keys.folder / "client.crt").read_bytes() == before


def test_a_machine_that_is_no_kiosk_says_so(tmp_path, capsys):
    assert main(["enrol", "renew", "--root", str(tmp_path)]) == 2
    assert "landfall-provision install BUNDLE" in capsys.readouterr().err


def central_settings(folder, deployment):
    """Write a central.toml of the desk's database and authority."""
    path = folder / "central.toml"
    path.write_text(f"""\
[database]
url = "sqlite:///central.db"

[enrolment]
address = "https://localhost:1"
broker_host = "broker.example.org"
certificate = "{deployment}/enrolment/enrolment.crt"
key = "{deployment}/enrolment/enrolment.key"
authority = "{deployment}/authority"
revocation_list = "revoked.pem"
opening_key = "{deployment}/centre/opening.pub.json"
receipt_keys = ["{deployment}/centre/receipt.pub.json"]
""")
    return path


def test_the_office_writes_everything_with_one_command(deployment, tmp_path, capsys):
    settings = central_settings(tmp_path, deployment)
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    words = ["kiosk", "new", "--site", "dm-roseau", "--kiosk", "ferry-01", "--config", str(settings)]
    words += ["--wifi", "Ferry Terminal", "--wifi-password-file", str(password), "--out", str(tmp_path / "out")]
    pin_of_sim = tmp_path / "pin"
    pin_of_sim.write_text("4711\n")
    words += ["--lte-apn", "internet", "--lte-user", "post", "--lte-password-file", str(password)]
    words += ["--lte-pin-file", str(pin_of_sim)]
    assert main(words) == 0
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    parts = ("label.svg", "sheet.txt", "user-data", "meta-data", "firstrun.sh")
    assert files == {"dm-roseau_ferry-01.landfall", *(f"dm-roseau_ferry-01/{part}" for part in parts)}
    sheet = (tmp_path / "out/dm-roseau_ferry-01/sheet.txt").read_text()
    assert max(map(len, sheet.splitlines())) <= 80
    root = enrolment_root(deployment)
    shown = capsys.readouterr().out
    assert pin(root) in sheet
    assert pin(root) in shown
    bundle = bundle_at(tmp_path / "out/dm-roseau_ferry-01.landfall")
    sim = bundle.network["landfall-lte.nmconnection"].decode()
    assert "[gsm]\napn=internet\nusername=post\npassword=correct horse\npin=4711\n" in sim
    for public in (shown, sheet, (tmp_path / "out/dm-roseau_ferry-01/label.svg").read_text()):
        assert bundle.enrolment.code not in public, "the code is in the bundle alone"
        assert "correct horse" not in public and "4711" not in public


def test_a_terminal_without_blocks_is_shown_no_code_and_all_the_rest(deployment, tmp_path, monkeypatch):
    settings = central_settings(tmp_path, deployment)
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", shown)
    words = ["kiosk", "new", "--site", "dm-roseau", "--kiosk", "ferry-01", "--config", str(settings)]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    shown.seek(0)
    assert f"pin {pin(enrolment_root(deployment))}" in shown.read()


def test_settings_that_the_kiosk_would_refuse_get_into_no_bundle_and_use_no_code(deployment, tmp_path, capsys):
    settings = central_settings(tmp_path, deployment)
    post = tmp_path / "pier-2.toml"
    post.write_text('[[lanes]]\nname = "lane-1"\nspeed = 7\n')
    words = ["kiosk", "new", "--site", "dm-roseau", "--kiosk", "ferry-01", "--config", str(settings)]
    assert main([*words, "--settings", str(post), "--out", str(tmp_path / "out")]) == 2
    assert "pier-2.toml: lanes[0].speed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def bundle_at(path):
    from provisioning.bundle import read_bundle

    return read_bundle(path.read_bytes(), utc_now())


def enrolment_root(deployment):
    from provisioning.authority import Authority

    return Authority.load(deployment / "authority").root


def test_an_answer_is_no_list_of_keys(office, at_post):
    post = at_post(office)
    install(post, "--yes", "--pin", post.made.pin)
    answer = office.desk.enrol(post.machine.keys.request(KIOSK), post.bundle.enrolment.code)
    assert enrolment.ANSWER_TYP != enrolment.CENTRE_KEYS_TYP
    with pytest.raises(Exception, match="signed as something else"):
        post.machine.keys.accept_centre_keys(answer, utc_now())
