"""Files for a first boot with no keyboard: cloud-init's, and the script that Raspberry Pi OS 12 runs once.

Owns their text. They go onto the boot partition of a fresh card, beside Landfall's package. Always true: they hold the
bundle and are as secret as it is; the pin comes from the office that wrote them, so nobody has to compare it; without a
network on the first boot nothing is lost, since `landfall-renew.timer` enrols later.
"""

from __future__ import annotations

import base64
import json
import shlex

from provisioning.bundle import SUFFIX

_FOLDER = "/var/lib/landfall-provision"
_PACKAGE = "/boot/firmware/landfall_*.deb"


def cloud_init(kiosk: str, pin: str, bundle: bytes) -> dict[str, bytes]:
    """Return `user-data` and `meta-data` of cloud-init's NoCloud; JSON is YAML too (YAML 1.2)."""
    site, _, name = kiosk.partition("/")
    path = _path(kiosk)
    user_data = {
        "hostname": f"{site}-{name}"[:63].rstrip("-"),
        "write_files": [
            {
                "path": path,
                "encoding": "b64",
                "permissions": "0600",
                "owner": "root:root",
                "content": base64.b64encode(bundle).decode("ascii"),
            }
        ],
        "runcmd": [["sh", "-c", _commands(pin, path)]],
    }
    text = "#cloud-config\n" + json.dumps(user_data, indent=1) + "\n"
    return {"user-data": text.encode(), "meta-data": f"instance-id: landfall-{site}-{name}\n".encode()}


def first_run(kiosk: str, pin: str, bundle: bytes) -> dict[str, bytes]:
    """Return `firstrun.sh` of Raspberry Pi OS 12, which its Imager writes too; `cmdline.txt` has to name it."""
    path = _path(kiosk)
    site, _, name = kiosk.partition("/")
    text = f"""\
#!/bin/sh
# Makes this machine {kiosk}. In cmdline.txt, on its one line:
#   systemd.run=/boot/firmware/firstrun.sh systemd.run_success_action=reboot
set -u
hostnamectl set-hostname {shlex.quote(f"{site}-{name}"[:63].rstrip("-"))}
install -d -m 700 {_FOLDER}
umask 077
base64 -d > {path} << 'END'
{base64.encodebytes(bundle).decode("ascii").strip()}
END
{_commands(pin, path)}
rm -f /boot/firmware/firstrun.sh
sed -i 's| systemd.run[^ ]*||g' /boot/firmware/cmdline.txt
exit 0
"""
    return {"firstrun.sh": text.encode()}


def _path(kiosk: str) -> str:
    return f"{_FOLDER}/{kiosk.replace('/', '_')}{SUFFIX}"


def _commands(pin: str, path: str) -> str:
    return (
        f"for package in {_PACKAGE}; do [ ! -e $package ] || apt-get install -y $package; done; "
        f"landfall-provision install --yes --pin {pin} {path} && rm -f {path}"
    )
