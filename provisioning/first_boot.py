"""Files for a first boot with no keyboard: cloud-init's, and the script that Raspberry Pi OS 12 runs once.

Owns their text. They go onto the boot partition of a fresh card, beside Landfall's package, and do one thing: they lay
the bundle, a script and a unit on the root file system. The unit makes the machine a kiosk, at each start until it is
done.

Always true: they hold the bundle and are as secret as it is; the unit removes them before anything else, and at the end
what cloud-init keeps of them; the power may go at any moment, and the next start goes on; without a network nothing is
lost, since `landfall-renew.timer` enrols later. The pin comes from the office that wrote them, so nobody has to compare
it.
"""

from __future__ import annotations

import base64
import json

from provisioning.bundle import SUFFIX

_BOOT = "/boot/firmware"
_FOLDER = "/var/lib/landfall-provision"
_UNIT = "landfall-first-boot.service"

# Run by root, before there is a network, by the shell of whatever started it: nothing but what every Debian has.
_LAY = """\
set -eu
install -d -m 700 {folder}
base64 -d > {bundle}.part << 'END'
{content}
END
cat > {folder}/first-boot << 'END'
{script}END
cat > /etc/systemd/system/{unit} << 'END'
{service}END
sync
mv {bundle}.part {bundle}
systemctl enable {unit}
sync
"""
# Neither after multi-user.target nor after cloud-init's last stage: on a card without an account a dialogue keeps both
# waiting for a keyboard. So the service counts as started when it begins, and the script itself waits for cloud-init.
_SERVICE = """\
[Unit]
Description=Make this machine the Landfall kiosk {kiosk}
ConditionPathExists={folder}/first-boot
RequiresMountsFor={boot}
Wants=network-online.target
After=network-online.target cloud-config.service

[Service]
Type=exec
ExecStart=/bin/sh {folder}/first-boot
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
"""
_SCRIPT = """\
# Makes this machine {kiosk}; {unit} runs it at each start until it is done.
set -eu
export DEBIAN_FRONTEND=noninteractive

# The bundle is here, and stays nowhere where everybody can read it. Without its user-data, cloud-init would take this
# for a new machine.
for file in user-data vendor-data firstrun.sh; do
    if grep -qs {unit} {boot}/$file; then
        if [ $file = user-data ]; then echo '{left}' > {boot}/$file; else rm {boot}/$file; fi
    fi
done
rm -f {boot}/{name}
sync

echo {host} > /etc/hostname
hostname {host}
sed -i -e '$a 127.0.1.1 {host}' -e '/^127\\.0\\.1\\.1/d' /etc/hosts

# Raspberry Pi OS keeps Wi-Fi off until it knows the country; on the kernel's command line it is only said.
country=$(sed -n 's/.*cfg80211\\.ieee80211_regdom=\\([A-Z][A-Z]\\).*/\\1/p' /proc/cmdline)
if [ -n "$country" ] && command -v raspi-config > /dev/null; then
    raspi-config nonint do_wifi_country "$country" || echo "Wi-Fi stays off: the country $country was not taken"
fi

if [ -e {bundle} ]; then
    # What is recommended needs a network: a kiosk opens without it, and it follows at the end.
    dpkg --configure -a || true  # somebody else may be at it, for whom apt-get waits
    for package in {boot}/landfall-kiosk_*_"$(dpkg --print-architecture)".deb; do
        [ ! -e "$package" ] || apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$package"
    done
    if ! command -v landfall-provision > /dev/null; then
        echo "Landfall is not installed: put landfall-kiosk_*_$(dpkg --print-architecture).deb onto the boot" \\
            "partition, and start this machine again" >&2
        exit 1
    fi

    # 1: the centre does not answer. It may yet: only now does this machine know the post's Wi-Fi or SIM. When it does
    # not, everything else is done all the same, and landfall-renew.timer asks again.
    for pause_s in 10 20 40 0; do
        if landfall-provision install --yes --pin {pin} {bundle}; then break; else [ $? = 1 ]; fi
        sleep "$pause_s"
    done
    rm {bundle}
    sync
fi

if ! dpkg -s python3-lgpio python3-picamera2 > /dev/null 2>&1; then
    apt-get update && apt-get install -y --no-install-recommends python3-lgpio python3-picamera2 &&
        systemctl try-restart landfall-kiosk ||
        echo "python3-lgpio or python3-picamera2 is missing: without them there are no pins or no camera"
fi

# What cloud-init keeps holds the bundle too; without that it would begin anew.
if command -v cloud-init > /dev/null; then
    cloud-init status --wait > /dev/null || true
    touch /etc/cloud/cloud-init.disabled
    sync
    rm -rf /var/lib/cloud/instance /var/lib/cloud/instances
    rm -f /run/cloud-init/combined-cloud-config.json /run/cloud-init/instance-data-sensitive.json
fi

systemctl disable {unit}
rm -rf /etc/systemd/system/{unit} {folder}
"""
_COMMAND_LINE = """\
sed 's/ *systemd\\.\\(run\\|unit=kernel-command-line\\)[^ ]*//g' {boot}/cmdline.txt > {boot}/cmdline.new
sync
mv {boot}/cmdline.new {boot}/cmdline.txt
sync
"""


def cloud_init(kiosk: str, pin: str, bundle: bytes) -> dict[str, bytes]:
    """Return `user-data` and `meta-data` of cloud-init's NoCloud; JSON is YAML too (YAML 1.2).

    `bootcmd`, because cloud-init runs it at every start: what it does once it never does again after a power cut.
    """
    lay = f"{_lay(kiosk, pin, bundle)}systemctl start --no-block {_UNIT}\n"
    text = _cloud_config(kiosk, bootcmd=[lay]) + "\n"
    meta_data = f"dsmode: local\ninstance-id: landfall-{kiosk.replace('/', '-')}\n"
    return {"user-data": text.encode(), "meta-data": meta_data.encode()}


def first_run(kiosk: str, pin: str, bundle: bytes) -> dict[str, bytes]:
    """Return `firstrun.sh` of Raspberry Pi OS 12, which its Imager writes too; `cmdline.txt` has to name it."""
    text = f"""\
#!/bin/sh
# Makes this machine {kiosk}, at the start after this one. In cmdline.txt, at the end of its one line:
#   systemd.run={_BOOT}/firstrun.sh systemd.run_success_action=reboot
{_lay(kiosk, pin, bundle)}{_COMMAND_LINE.format(boot=_BOOT)}"""
    return {"firstrun.sh": text.encode()}


def _lay(kiosk: str, pin: str, bundle: bytes) -> str:
    name = f"{kiosk.replace('/', '_')}{SUFFIX}"
    words = {
        "kiosk": kiosk,
        "host": _host(kiosk),
        "pin": pin,
        "name": name,
        "bundle": f"{_FOLDER}/{name}",
        "folder": _FOLDER,
        "boot": _BOOT,
        "unit": _UNIT,
        "left": _cloud_config(kiosk),
    }
    return _LAY.format(
        **words,
        content=base64.encodebytes(bundle).decode("ascii").strip(),
        script=_SCRIPT.format(**words),
        service=_SERVICE.format(**words),
    )


def _cloud_config(kiosk: str, **more: object) -> str:
    return "#cloud-config\n" + json.dumps({"hostname": _host(kiosk)} | more)


def _host(kiosk: str) -> str:
    """Return the kiosk's name as a label of the DNS, 63 characters at the most (RFC 1035, 2.3.4)."""
    return kiosk.replace("/", "-")[:63].rstrip("-")
