"""How a post reaches the network, as NetworkManager reads it: keyfiles (nm-settings-keyfile(5)).

Owns the text of a keyfile for a cable with a fixed address, a Wi-Fi, and a SIM; a cable with DHCP needs none. Always
true: what an operator typed cannot add a line; a password is in no error. Whoever writes the files gives them mode
0600, or NetworkManager leaves them alone.
"""

from __future__ import annotations

import ipaddress
import re
import uuid

from edge.errors import ProvisioningError

_NAMESPACE = uuid.UUID("a8d0b8d4-6f5c-4b33-9d5f-0d4f5a1c7f6e")  # so that the same connection keeps its id
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")


def wifi(ssid: str, password: str) -> tuple[str, bytes]:
    """Return name and keyfile of a Wi-Fi with WPA2 or WPA3 personal; without a password an open one."""
    octets = ssid.encode()
    if not 1 <= len(octets) <= 32:
        raise ProvisioningError("a Wi-Fi's name has 1-32 bytes", remedy="check --wifi")
    # A list of bytes holds any name; as a string some characters mean something.
    sections = {"wifi": {"mode": "infrastructure", "ssid": "".join(f"{octet};" for octet in octets)}}
    if password:
        if not re.fullmatch(r"[ -~]{8,63}", password):
            raise ProvisioningError("a Wi-Fi's password has 8-63 printable ASCII characters", remedy="check it")
        sections["wifi-security"] = {"key-mgmt": "wpa-psk", "psk": _escaped(password)}
    return _keyfile("wifi", "wifi", sections | _automatic())


def lte(apn: str, user: str = "", password: str = "", pin: str = "") -> tuple[str, bytes]:
    """Return name and keyfile of a SIM's connection."""
    if not _PLAIN.fullmatch(apn):
        raise ProvisioningError("an APN has letters, digits, dots and dashes", remedy="ask the operator for it")
    if pin and not re.fullmatch(r"[0-9]{4,8}", pin):
        raise ProvisioningError("a SIM's PIN has 4-8 digits", remedy="check it")
    if not (user + password).isprintable():
        raise ProvisioningError("the SIM's user and password must be printable", remedy="check them")
    given = {"apn": apn, "username": _escaped(user), "password": _escaped(password), "pin": pin}
    sections = {"gsm": {name: value for name, value in given.items() if value}}
    return _keyfile("lte", "gsm", sections | _automatic())


def fixed(address: str, gateway: str, dns: list[str]) -> tuple[str, bytes]:
    """Return name and keyfile of a cable with a fixed address (`192.0.2.7/24`)."""
    try:
        own = ipaddress.ip_interface(address)
        via = ipaddress.ip_address(gateway)
        servers = [str(ipaddress.ip_address(one)) for one in dns]
    except ValueError as error:
        raise ProvisioningError(f"{error}", remedy="an address is written 192.0.2.7/24, a gateway 192.0.2.1") from None
    if via not in own.network or "/" not in address:
        raise ProvisioningError(f"the gateway {via} is not in the network of {address}", remedy="give its length: /24")
    family, other = ("ipv4", "ipv6") if own.version == 4 else ("ipv6", "ipv4")
    sections = {
        family: {
            "method": "manual",
            "address1": f"{own.with_prefixlen},{via}",
            "dns": "".join(f"{s};" for s in servers),
        },
        other: {"method": "disabled"},
    }
    return _keyfile("cable", "ethernet", sections)


def _automatic() -> dict[str, dict[str, str]]:
    return {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}


def _keyfile(name: str, kind: str, sections: dict[str, dict[str, str]]) -> tuple[str, bytes]:
    own = {
        "id": f"landfall-{name}",
        "uuid": str(uuid.uuid5(_NAMESPACE, name)),
        "type": kind,
        "autoconnect": "true",
        "autoconnect-priority": "10",  # before what a system brings itself: Raspberry Pi OS 13 has DHCP on every cable
    }
    text = ""
    for section, values in {"connection": own, **sections}.items():
        text += f"[{section}]\n" + "".join(f"{key}={value}\n" for key, value in values.items() if value) + "\n"
    return f"landfall-{name}.nmconnection", text.encode()


def _escaped(value: str) -> str:
    """Return a string as GKeyFile reads it back: backslashes doubled, a leading or trailing space kept."""
    text = value.replace("\\", "\\\\")
    if text.startswith(" "):
        text = "\\s" + text[1:]
    return text[:-1] + "\\s" if text.endswith(" ") else text
