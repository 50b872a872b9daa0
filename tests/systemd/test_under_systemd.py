"""The kiosk's unit on a real systemd, with a stand-in for the daemon that tells what it sees of the machine."""

from pathlib import Path

import pytest

from tests.harness.systemd_machine import SystemdMachine, is_possible

SYSTEMD = Path(__file__).parents[2] / "systemd"
KIOSK, RENEW = "landfall-kiosk.service", "landfall-renew.service"
KEYS = ("record.key.json", "client.key", "client.crt", "ca.crt", "opening.pub.json", "receipt.pub.json")

# It takes part in the protocol of Type=notify and is then silent, as a daemon that hangs.
DAEMON = """#!/usr/bin/python3
import ctypes, json, os, pwd, resource, signal, socket, sqlite3, subprocess, sys, threading

def attempt(action):
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__

keys = os.environ["CREDENTIALS_DIRECTORY"]
store = sqlite3.connect("/var/lib/landfall/cache.db")
thread = threading.Thread(target=print)
thread.start()
thread.join()
seen = {
    "started": os.stat("/proc/self").st_ctime_ns,
    "argv": sys.argv[1:],
    "user": pwd.getpwuid(os.getuid()).pw_name,
    "keys": sorted(name for name in os.listdir(keys) if open(f"{keys}/{name}").read()),
    "key_at_its_source": attempt(lambda: open("/etc/landfall/keys/record.key.json").read()),
    "system": attempt(lambda: open("/usr/anything", "w")),
    "home": attempt(lambda: os.listdir("/root")),
    "store": attempt(lambda: store.execute("PRAGMA journal_mode=WAL").fetchone()[0]),
    "folder": os.getcwd(),
    "socket": attempt(lambda: socket.socket(socket.AF_UNIX).bind("control.sock")),
    "child": subprocess.run(["/usr/bin/python3", "-c", "print(1)"], capture_output=True, text=True).stdout.strip(),
    "callback": ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 7)(),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "kernel_log": attempt(lambda: open("/dev/kmsg")),
    "board": "processor" in open("/proc/cpuinfo").read(),
    "watchdog": int(os.environ["WATCHDOG_USEC"]) // 1000,
}
address = os.environ["NOTIFY_SOCKET"]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.sendto(b"READY=1", "\\0" + address[1:] if address[0] == "@" else address)
with open("seen.json.new", "w") as file:
    json.dump(seen, file)
os.rename("seen.json.new", "seen.json")
signal.pause()
"""

# Stands in for the interpreter that puts outputs safe, and tells how it was called and how the daemon had ended.
STOP_HOOK = """#!/bin/sh
printf '{"argv": "%s", "result": "%s", "user": "%s"}' "$*" "$SERVICE_RESULT" "$(id -un)" > /run/landfall/hook.new
mv /run/landfall/hook.new /run/landfall/hook.json
"""

LEAVE_WISH = ": > /run/landfall/renew"  # as edge.renewal.wish does, as the daemon's user


@pytest.fixture
def machine(tmp_path):
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")

    def boot(drop_in=""):
        files = {
            "/etc/systemd/system/landfall-kiosk.service": (SYSTEMD / "landfall-kiosk.service").read_text(),
            "/etc/systemd/system/landfall-kiosk.service.d/test.conf": drop_in,
            "/etc/systemd/system/lane.target": "[Unit]\nRequires=basic.target\nWants=landfall-kiosk.service\n",
            "/opt/landfall/bin/landfall": DAEMON,
            "/opt/landfall/bin/python": STOP_HOOK,
            "/etc/landfall/kiosk.toml": "",
            **{f"/etc/landfall/keys/{name}": name for name in KEYS},
        }
        sysusers = SYSTEMD / "sysusers.d" / "landfall-kiosk.conf"
        return SystemdMachine(tmp_path, "lane.target", files, sysusers=[sysusers], secret="/etc/landfall/keys/")

    return boot


@pytest.mark.journey
def test_the_kiosk_has_what_it_needs_and_nothing_else(machine):
    with machine() as kiosk:
        seen = kiosk.read_json("/run/landfall/seen.json")
    del seen["started"]
    assert seen == {
        "argv": ["run", "--config", "/etc/landfall/kiosk.toml"],
        "user": "landfall",
        "keys": sorted(KEYS),
        "key_at_its_source": "PermissionError",
        "system": "OSError",
        "home": "PermissionError",
        "store": "wal",
        "folder": "/run/landfall",
        "socket": "None",
        "child": "1",
        "callback": 7,
        "core": [0, 0],
        "kernel_log": "PermissionError",
        "board": True,
        "watchdog": 30_000,
    }


@pytest.mark.journey
def test_the_outputs_of_a_kiosk_that_hangs_are_put_safe_and_it_is_started_again(machine):
    with machine("[Service]\nWatchdogSec=1\nRestartSec=0\nRuntimeDirectoryPreserve=yes\n") as kiosk:
        first = kiosk.read_json("/run/landfall/seen.json")
        hook = kiosk.read_json("/run/landfall/hook.json")
        again = kiosk.read_json("/run/landfall/seen.json", unlike=first)
    assert again["started"] != first["started"]
    assert hook == {
        "argv": "-m edge.safe_outputs --config /etc/landfall/kiosk.toml",
        "result": "watchdog",
        "user": "landfall",
    }


# Stands in for `landfall-provision enrol renew` when a certificate was renewed: it writes and starts the daemon anew.
RENEWAL = """#!/bin/sh
until [ -e /run/landfall/seen.json ]; do sleep 0.05; done
set -e
echo renewed > /etc/landfall/keys/client.crt.new
mv /etc/landfall/keys/client.crt.new /etc/landfall/keys/client.crt
if touch /usr/anything; then exit 1; fi
systemctl restart landfall-kiosk.service
printf '{"argv": "%s"}' "$*" > /etc/landfall/keys/renewed.json
"""


@pytest.mark.journey
def test_a_renewal_may_write_keys_and_start_the_kiosk_anew_and_nothing_else(tmp_path):
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")
    units = {f"/etc/systemd/system/{unit}": (SYSTEMD / unit).read_text() for unit in (KIOSK, RENEW)}
    files = {
        **units,
        "/etc/systemd/system/lane.target": f"[Unit]\nRequires=basic.target\nWants={KIOSK} {RENEW}\n",
        "/opt/landfall/bin/landfall": DAEMON,
        "/opt/landfall/bin/landfall-provision": RENEWAL,
        "/opt/landfall/bin/python": STOP_HOOK,
        "/etc/landfall/kiosk.toml": "",
        "/etc/landfall/keys/enrolment.json": "{}",
        **{f"/etc/landfall/keys/{name}": name for name in KEYS},
    }
    sysusers = SYSTEMD / "sysusers.d" / "landfall-kiosk.conf"
    with SystemdMachine(tmp_path, "lane.target", files, sysusers=[sysusers], secret="/etc/landfall/keys/") as kiosk:
        first = kiosk.read_json("/run/landfall/seen.json")
        assert kiosk.read_json("/etc/landfall/keys/renewed.json") == {"argv": "enrol renew"}
        assert kiosk.read_json("/run/landfall/seen.json", unlike=first)


# Stands in for the same command: it tells how often it ran.
ASKED = """#!/bin/sh
set -e
echo "$*" >> /etc/landfall/keys/asked
printf '{"times": %s}' "$(wc -l < /etc/landfall/keys/asked)" > /etc/landfall/keys/asked.new
mv /etc/landfall/keys/asked.new /etc/landfall/keys/asked.json
"""


@pytest.mark.journey
def test_the_daemons_wish_has_root_ask_the_centre_each_time(tmp_path):
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")
    units = (KIOSK, RENEW, "landfall-renew.path")
    files = {
        **{f"/etc/systemd/system/{unit}": (SYSTEMD / unit).read_text() for unit in units},
        "/etc/systemd/system/lane.target": f"[Unit]\nRequires=basic.target\nWants={KIOSK}\n",
        "/opt/landfall/bin/landfall": DAEMON,
        "/opt/landfall/bin/landfall-provision": ASKED,
        "/opt/landfall/bin/python": STOP_HOOK,
        "/etc/landfall/kiosk.toml": "",
        "/etc/landfall/keys/enrolment.json": "{}",
        **{f"/etc/landfall/keys/{name}": name for name in KEYS},
    }
    sysusers = SYSTEMD / "sysusers.d" / "landfall-kiosk.conf"
    wish = ("/usr/bin/setpriv", "--reuid=landfall", "--regid=landfall", "--clear-groups", "/bin/sh", "-c", LEAVE_WISH)
    asked = "/etc/landfall/keys/asked.json"
    with SystemdMachine(tmp_path, "lane.target", files, sysusers=[sysusers], secret="/etc/landfall/keys/") as kiosk:
        kiosk.read_json("/run/landfall/seen.json")
        for times in (1, 2):
            assert kiosk.run(*wish).returncode == 0
            assert kiosk.read_json(asked, unlike={"times": times - 1}) == {"times": times}
        kiosk.run("systemctl", "stop", KIOSK)
        assert kiosk.run("systemctl", "is-active", "landfall-renew.path").stdout.strip() == "inactive"
        kiosk.run("systemctl", "start", KIOSK)
        kiosk.read_json("/run/landfall/seen.json")
        assert kiosk.read_json(asked) == {"times": 2}, "that the folder went with the daemon is no wish"
        assert kiosk.run(*wish).returncode == 0
        assert kiosk.read_json(asked, unlike={"times": 2}) == {"times": 3}
