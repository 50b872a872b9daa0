"""Health content of certificates: what a post reads only if its law lets it.

Owns the line between who a certificate is about and what it says of their health; `dcc` and `vds_nc` come here for the
second, and only with the switch on. Everything goes under the one field `health`, so that a record can leave it out or
keep it under another term. Always true: with the switch off the verdict says so, and nothing tells a vaccination from
a test.
"""

from __future__ import annotations

from typing import Any

from edge.documents.layers import Layers

CHECK = "health_content"
SWITCHED_OFF = "switched off"

DCC_GROUPS = {"v": "vaccination", "t": "test", "r": "recovery"}  # schema of the EU DCC, version 1.3.0
_VDS_NC_PERSON = "pid"
_VDS_NC_TYPES = ("icao.test", "icao.vacc")
_VDS_NC_CONTENT = frozenset({"uvci", "ve", "utci", "sp", "dat", "tr"})  # of the two types, technical report version 1.1


def of_dcc(certificate: dict[str, Any], layers: Layers, fields: dict[str, Any], *, health: bool) -> None:
    """Put the entries `v`, `t` and `r` of an EU DCC under `health`, as the certificate spells them."""
    _put({key: certificate[key] for key in DCC_GROUPS if certificate.get(key)}, layers, fields, health)


def of_vds_nc(message: dict[str, Any], layers: Layers, fields: dict[str, Any], *, health: bool) -> None:
    """Put everything but the person (`pid`) of an `icao.test` or `icao.vacc` message under `health`."""
    _put({key: value for key, value in message.items() if key != _VDS_NC_PERSON}, layers, fields, health)


def is_health_proof(kind: object, message: dict[str, Any]) -> bool:
    """Tell whether a VDS-NC is about health; what looks like one is one, whatever its header calls it."""
    is_named_so = isinstance(kind, str) and kind.strip().lower().startswith(_VDS_NC_TYPES)
    return is_named_so or not _VDS_NC_CONTENT.isdisjoint(message)


def _put(content: dict[str, Any], layers: Layers, fields: dict[str, Any], health: bool) -> None:
    if not health:
        layers.not_done(CHECK, SWITCHED_OFF)
    elif content:
        fields["health"] = content
        layers.ok(CHECK)
    else:
        layers.failed(CHECK, "none there")
