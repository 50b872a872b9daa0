"""Whom an address stands for, when somebody is counted by it: a subscriber, who has one of IPv4 and 2^64 of IPv6."""

from __future__ import annotations

import ipaddress

_IPV6_NETWORK_BITS = 64


def subscriber(address: str) -> str:
    """Return an IPv4 address as it is, of an IPv6 address its network, and anything else as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:  # a socket that takes both kinds shows IPv4 so
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), _IPV6_NETWORK_BITS), strict=False))
