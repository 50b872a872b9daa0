"""The file of alert rules -> typed rules.

Owns names, defaults and ranges. Always true: an unknown key or code is refused with a `SettingError` that names the
file and what would be right; no two rules are about one code.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from central.config import explained
from central.fleet.words import Code
from edge.errors import SettingError

Channel = Literal["webhook", "mail"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long some faults have to last before somebody is told, and to be gone before they are over."""

    codes: Annotated[tuple[Code, ...], Meta(min_length=1)]
    open_after_s: Annotated[float, Meta(ge=0, le=604_800)] = 300.0
    close_after_s: Annotated[float, Meta(ge=0, le=604_800)] = 300.0
    remind_after_h: Annotated[float, Meta(ge=0, le=8784)] = 0.0
    by_site: bool = False
    to: tuple[Channel, ...] = ("webhook", "mail")


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All rules, and from when on a fault of many kiosks is one of their site."""

    site_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    site_least: Annotated[int, Meta(ge=2, le=10_000)] = 3
    rule: tuple[Rule, ...] = ()

    def by_code(self) -> dict[Code, Rule]:
        """Return the rule of each code; a site's fault follows the rule that makes it."""
        found = {code: rule for rule in self.rule for code in rule.codes}
        for rule in self.rule:
            if rule.by_site:
                found.setdefault(Code.SITE_SILENT, rule)
        return found


def load(path: Path | None) -> Rules:
    """Read a file of rules, Landfall's own where there is none; raise `SettingError` for what is not right."""
    try:
        text = (path or files("central.alerts") / "rules.toml").read_text(encoding="utf-8")
    except OSError as error:
        raise SettingError(str(path), "", f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingError(str(path), "", "must be UTF-8 text") from None
    return parse(text, str(path or "rules.toml"))


def parse(text: str, name: str) -> Rules:
    """Check the text of a file of rules."""
    try:
        rules = msgspec.convert(tomllib.loads(text), Rules)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(name, "", f"is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise explained(name, str(error)) from None
    seen: set[Code] = set()
    for rule in rules.rule:
        for code in rule.codes:
            if code in seen:
                raise SettingError(name, "rule.codes", f"must name {code} in one rule alone")
            seen.add(code)
        if rule.by_site and not set(rule.codes) <= {Code.SILENT, Code.OFFLINE}:
            raise SettingError(name, "rule.by_site", "goes with the codes silent and offline alone")
    return rules
