"""The kiosk at real devices of the kernel: pins, a USB reader that is pulled out, a keyboard, and what ends a hang."""

from __future__ import annotations

from hw.simulated.travellers import specimen
from tests.hil.post import CENTRE, CONTACTS, Post, wait_until

LOST_WITHIN_S = 2.0
READ_WITHIN_S = 3.0


def mrz(ordinal: int) -> bytes:
    """Return what a reader sends for one specimen traveller."""
    return specimen(1, ordinal).mrz.replace(b"\n", b"\r") + b"\r"


def test_travellers_pass_and_the_centre_holds_them(post: Post) -> None:
    before = post.captured()
    for ordinal in range(1, 6):
        post.passes(mrz(ordinal))
    assert post.captured() == before + 5
    wait_until(lambda: post.status()["queue"]["crossing"]["unreceipted"] == 0, 60, "the centre has sent its receipts")
    wait_until(lambda: post.status()["queue"]["crossing"]["unreceipted"] == 0, 60, "the centre has sent its receipts")
    count = "/run/count.json"
    post.shell(f"/opt/landfall/bin/landfall queue stats --json > {count}")
    reconcile = ("/opt/landfall/bin/landfall-central", "reconcile", "--config", f"{CENTRE}/centre/collector-1.toml")
    post.machine.run("env", "PYTHONPATH=/opt/tests", *reconcile, "--kiosk-count", count, timeout_s=300)


def test_a_reader_that_is_pulled_out_is_missed_at_once_and_reads_again_when_it_is_back(post: Post) -> None:
    post.machine.ask("unplug")
    lost_s = post.machine.ask("wait_for_device", name="passport", state="lost")
    post.machine.ask("plug")
    ready_s = post.machine.ask("wait_for_device", name="passport", state="ready")
    post.passes(mrz(11))
    print(f"\nunplugged to missed {lost_s:.2f} s, plugged to ready {ready_s:.2f} s")
    assert lost_s < LOST_WITHIN_S
    assert ready_s < READ_WITHIN_S


def test_a_reader_that_is_pulled_out_in_the_middle_of_a_document_makes_no_crossing_of_a_half(post: Post) -> None:
    before = post.captured()
    whole = mrz(12)
    post.machine.scan(whole[:40])
    post.machine.ask("unplug")
    wait_until(lambda: post.device("passport") == "lost", 10, "the reader is missed")
    post.machine.ask("plug")
    wait_until(lambda: post.device("passport") == "ready", 10, "the reader is back")
    post.passes(whole)
    assert post.captured() == before + 1


def test_an_officer_decides_with_a_button_whose_contacts_bounce(post: Post) -> None:
    before = post.status()["queue"]["crossing"]["next_sequence"]
    unreadable = bytearray(mrz(13))
    unreadable[50:54] = b"<<<<"
    post.machine.scan(bytes(unreadable))
    wait_until(lambda: _signal(post) == "call_officer", 20, "the officer is called")
    post.machine.ask("press", line=CONTACTS["accept"])
    wait_until(post.is_lane_ready, 20, "the lane is ready again")
    recorded = post.status()["queue"]["crossing"]["next_sequence"] - before
    assert recorded == 2, "one crossing and one decision, however often the contact bounced"


def test_a_case_that_is_opened_is_told(post: Post) -> None:
    post.machine.ask("pull", line=CONTACTS["tamper"], up=True)
    wait_until(lambda: "case opened" in post.shell("journalctl -u landfall-kiosk --no-pager"), 10, "it is in the log")
    post.machine.ask("pull", line=CONTACTS["tamper"], up=False)


def test_a_boarding_pass_that_a_keyboard_types_reaches_the_lane(post: Post) -> None:
    wait_until(lambda: post.device("barcode") == "lost", 20, "no keyboard is there yet")
    post.machine.ask("plug_keyboard")
    wait_until(lambda: post.device("barcode") == "ready", 10, "the keyboard is found")
    post.machine.ask("type", text="M1ERIKSSON/ANNA       EABC123 RSUMIANK 0834 326J001A0025 100\n")
    wait_until(lambda: _lane(post) != "lane ready", 10, "the lane has read it")
    post.machine.ask("unplug_keyboard")
    wait_until(lambda: post.device("barcode") == "lost", 10, "the keyboard is missed")
    wait_until(post.is_lane_ready, 60, "the lane is ready again")


def test_a_daemon_that_hangs_is_started_again_by_its_watchdog(post: Post) -> None:
    before = post.shell("systemctl show --property=MainPID --value landfall-kiosk").strip()
    post.shell(f"kill -STOP {before}")
    wait_until(
        lambda: post.shell("systemctl show --property=MainPID --value landfall-kiosk").strip() not in (before, "0"),
        60,
        "the daemon is started again",
    )
    wait_until(post.is_lane_ready, 60, "the lane gets ready")
    post.passes(mrz(21))


def test_the_device_suite_runs_on_the_machines_devices(post: Post) -> None:
    post.shell("systemctl stop landfall-kiosk")
    try:
        post.machine.write("/run/devices.toml", DEVICES)
        post.shell("mount --bind /run/board /proc/cpuinfo")
        # Somebody has to show a document when the suite asks for one.
        shows = f"for i in $(seq 60); do {SHOW} 2>/dev/null; sleep 1; done"
        post.machine.run("systemd-run", "--unit=traveller", "/bin/sh", "-c", shows)
        environment = "PYTHONPATH=/opt/tests LANDFALL_DEVICES=/run/devices.toml LG_WD=/run"
        suite = "/opt/landfall/bin/python -B -m pytest -q -p no:cacheprovider --hardware tests/hw/test_device_suite.py"
        script = f"cd /srv/landfall && {environment} {suite} -k real"
        print(post.machine.run("/bin/sh", "-c", script, timeout_s=300))
    finally:
        post.shell("umount /proc/cpuinfo; systemctl start landfall-kiosk")


# An expired passport of the specimen state, as the shell shows it.
MRZ = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\rL898902C36UTO7408122F1204159ZE184226B<<<<<10\\r"
SHOW = f"(stty raw -echo; printf '{MRZ}') <>/dev/ttyGS0 >&0"
DEVICES = """
[[readers]]
name = "passport"
path = "/dev/serial/by-id/usb-Specimen_Document_reader_0001-if00"

[panel]
driver = "gpiozero"
"""


def _lane(post: Post) -> str:
    return post.device("lane-1")


def _signal(post: Post) -> str:
    return str(post.status().get("devices", {}).get("lane-1", {}).get("signal", ""))
