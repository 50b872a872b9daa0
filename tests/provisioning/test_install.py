"""A machine is set up, whatever happens on the way: the power goes at every single write, the network is away."""

import os
import signal
import stat

import pytest

from central import database
from central.enrolment import register
from edge import config
from edge.errors import ProvisioningError
from edge.identity.certificates import common_name
from provisioning import install
from provisioning.centre_call import CentreSilent
from provisioning.install import Installation, see_to_certificate
from provisioning.network import wifi
from tests.provisioning.conftest import KIOSK

KEYS = ["ca.crt", "client.crt", "client.key", "enrolment.json", "opening.pub.json", "receipt.pub.json"]
KEYS += ["record.key.json", "record.pub.json"]


def run(post, **options):
    return Installation(post.bundle, post.machine, **options).run(lambda line: None)


def tree(root):
    """Return every file with its mode; what differs from machine to machine (keys) by its name alone."""
    return {
        str(path.relative_to(root)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_a_fresh_machine_becomes_the_kiosk_of_the_bundle(office, at_post):
    post = at_post(office, network=dict([wifi("Ferry Terminal", "correct horse")]))
    assert run(post) is True
    root = post.machine.root
    assert tree(root) == {
        **{f"etc/landfall/keys/{name}": "0o600" if ".key" in name or "enrol" in name else "0o644" for name in KEYS},
        "etc/landfall/install.json": "0o644",
        "etc/landfall/kiosk.toml": "0o644",
        "etc/NetworkManager/system-connections/landfall-wifi.nmconnection": "0o600",
    }
    assert common_name(post.machine.keys.certificate(KIOSK)) == KIOSK
    assert post.machine.enrolment().code == "", "a code that was used is of no more use, and gone"


def test_the_settings_of_a_bundle_are_what_the_daemon_takes(office, at_post):
    post = at_post(office)
    run(post)
    keys = {"CREDENTIALS_DIRECTORY": str(post.machine.keys.folder)}
    settings = config.load(post.machine.settings / "kiosk.toml", keys)
    assert (settings.kiosk.site, settings.kiosk.name, settings.uplink.host) == (
        "dm-roseau",
        "ferry-01",
        "broker.example.org",
    )
    assert all(
        settings.resolve(path).exists() for path in (settings.keys.record, settings.keys.opening, settings.uplink.key)
    )


def test_a_second_time_changes_nothing(office, at_post):
    post = at_post(office)
    run(post)
    before = {path: path.read_bytes() for path in post.machine.root.rglob("*") if path.is_file()}
    assert run(post) is True
    assert {path: path.read_bytes() for path in post.machine.root.rglob("*") if path.is_file()} == before


WRITES = ("fsync", "replace", "link", "unlink", "mkdir")


def run_until(post, number, cut=lambda: None):
    """Install in a child that is killed before its `number`th write, `cut` first; return whether it came to its end."""
    child = os.fork()
    if child == 0:
        left = number
        for name in WRITES:

            def counted(*given, _call=getattr(os, name), **named):
                nonlocal left
                left -= 1
                if left < 0:
                    cut()
                    os.kill(os.getpid(), signal.SIGKILL)
                return _call(*given, **named)

            setattr(os, name, counted)
        try:
            run(post)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_power_may_go_before_any_write_and_the_same_command_comes_to_the_same_end(office, at_post, desk):
    reference = at_post(office, "reference", network=dict([wifi("Ferry Terminal", "correct horse")]))
    run(reference)
    wanted = tree(reference.machine.root)
    number, is_whole = 0, False
    while not is_whole:
        post = at_post(office, f"card-{number}", network=dict([wifi("Ferry Terminal", "correct horse")]), replaces=True)
        is_whole = run_until(post, number)
        assert run(post) is True, f"after a power cut before write {number}"
        assert tree(post.machine.root) == wanted, f"after a power cut before write {number}"
        number += 1
    assert number > 40, "and there were writes to be cut"
    with database.reading(desk.engine) as connection:
        issued = register.certificates(connection, KIOSK)
    assert len(issued) == number + 1, (
        "the same keys with the same code were given one certificate, however often they asked"
    )


def test_a_power_cut_in_the_middle_of_each_of_several_tries_is_no_trouble_either(office, at_post):
    post = at_post(office)
    for number in (3, 9, 14, 20, 27):
        run_until(post, number)
    assert run(post) is True
    assert not list(post.machine.root.rglob(".*")), "no half-written file is left"


def test_without_a_network_all_is_set_up_but_the_certificate_and_it_is_fetched_later(
    closed_office, at_post, desk, deployment
):
    from tests.harness.office import serving

    post = at_post(closed_office)
    assert run(post) is False
    assert post.machine.enrolment().code, "the code is kept until it is used"
    assert post.machine.keys.certificate(KIOSK) is None
    with pytest.raises(CentreSilent, match=r"does not answer at localhost:1.*cable"):
        see_to_certificate(post.machine)
    with serving(desk, deployment) as port:
        moved = post.machine.enrolment()
        path = post.machine.keys.folder / "enrolment.json"
        path.write_text(path.read_text().replace(moved.address, f"https://localhost:{port}"))
        assert see_to_certificate(post.machine).told == f"{KIOSK} is enrolled"


def test_a_machine_keeps_its_name(office, at_post, tmp_path):
    from provisioning.bundle import read_bundle
    from provisioning.kiosk_new import new_kiosk

    post = at_post(office)
    run(post)
    other = new_kiosk(office, "dm-roseau/ferry-02", tmp_path / "other")
    bundle = read_bundle(other.bundle.read_bytes(), post.machine.now())
    with pytest.raises(ProvisioningError, match=r"is dm-roseau/ferry-01 already.*for dm-roseau/ferry-02"):
        Installation(bundle, post.machine).run(lambda line: None)


def test_a_code_that_somebody_else_used_stops_the_installation_and_says_to_tell_the_centre(office, at_post, tmp_path):
    post = at_post(office)
    thief = install.machine_at(tmp_path / "thief")
    Installation(post.bundle, thief).run(lambda line: None)
    with pytest.raises(ProvisioningError, match="used already, by other keys; tell the centre at once"):
        run(post)


def test_connections_of_an_older_bundle_go_and_those_of_others_stay(office, at_post):
    post = at_post(office, network=dict([wifi("Ferry Terminal", "correct horse")]))
    network = post.machine.network
    network.mkdir(parents=True)
    (network / "landfall-lte.nmconnection").write_text("[connection]")
    (network / "home.nmconnection").write_text("[connection]")
    run(post)
    assert sorted(path.name for path in network.iterdir()) == ["home.nmconnection", "landfall-wifi.nmconnection"]


@pytest.mark.parametrize(
    ("kind", "soft", "is_off"), [("wlan", "1", True), ("wlan", "0", False), ("bluetooth", "1", False)]
)
def test_wifi_that_waits_for_its_country_is_told_with_the_command(office, at_post, kind, soft, is_off):
    post = at_post(office, network=dict([wifi("Ferry Terminal", "correct horse")]))
    switch = post.machine.root / "sys/class/rfkill/rfkill0"
    switch.mkdir(parents=True)
    (switch / "type").write_text(f"{kind}\n")
    (switch / "soft").write_text(f"{soft}\n")
    said = []
    assert Installation(post.bundle, post.machine).run(said.append) is True
    assert ("sudo raspi-config nonint do_wifi_country" in "\n".join(said)) is is_off
