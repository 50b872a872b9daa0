"""PURE. Settings that the centre may set from afar, put on top of the kiosk's own file.

Owns the list of what may be set. Always true: what is not on the list is refused by its name, so that no command can
change who a kiosk is, where its keys and its store lie, or whether its crossings count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.errors import SettingError

FROM_AFAR = "desired settings"
_POLICY = (
    "collect_s", "decision", "direction", "officer_s", "optional", "optional_s", "photo", "record_s", "refer_s",
    "repeat_s", "required", "show_s",
)  # fmt: skip
_UPLINK = (
    "connect_timeout_s", "health_s", "host", "keepalive_s", "port", "receipt_timeout_s", "retry_least_s",
    "retry_most_s",
)  # fmt: skip
ALLOWED: dict[str, frozenset[str]] = {
    "uplink": frozenset(_UPLINK),
    "store": frozenset({"keep_receipted_h", "photos_stop_below_mb"}),
    "policy": frozenset(_POLICY),
}


def put_on_top(raw: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of kiosk.toml with the overlay's settings in the place of its own.

    Raises SettingError for what may not be set from afar, or is no setting; values are checked with the whole file.
    """
    found = dict(raw)
    for section, settings in overlay.items():
        if section == "lanes":
            found["lanes"] = _lanes(raw.get("lanes", []), settings)
        elif section in ("uplink", "store"):
            found[section] = _section(found.get(section, {}), section, section, settings)
        else:
            raise SettingError(FROM_AFAR, str(section), "may not be set from afar")
    return found


def _lanes(lanes: Any, overlay: Any) -> list[Any]:
    """Put policies on top of lanes, which the overlay knows by their names."""
    if not isinstance(overlay, Mapping):
        raise SettingError(FROM_AFAR, "lanes", "must be an object with the lanes' names")
    names = [lane.get("name") for lane in lanes if isinstance(lane, dict)] if isinstance(lanes, list) else []
    for name, parts in overlay.items():
        if name not in names:
            raise SettingError(FROM_AFAR, f"lanes.{name}", "is no lane of this kiosk")
        if not isinstance(parts, Mapping) or set(parts) != {"policy"}:
            raise SettingError(FROM_AFAR, f"lanes.{name}", "may set policy alone")
    return [
        {**lane, "policy": _section(lane.get("policy", {}), "policy", f"lanes.{name}.policy", overlay[name]["policy"])}
        if isinstance(lane, dict) and (name := lane.get("name")) in overlay
        else lane
        for lane in lanes
    ]


def _section(own: Any, kind: str, at: str, settings: Any) -> dict[str, Any]:
    if not isinstance(settings, Mapping):
        raise SettingError(FROM_AFAR, at, "must be an object of settings")
    for key in settings:
        if key not in ALLOWED[kind]:
            raise SettingError(FROM_AFAR, f"{at}.{key}", "may not be set from afar")
    return {**own, **settings} if isinstance(own, dict) else own
