"""PURE. What is wrong now and what was alerted before -> what is alerted from now on, and what to tell.

Owns hysteresis, grouping and silences. No database, no clock. Always true: of one fault in one place there is one
alert; nobody is told before it has lasted, and nobody that it is over who was not told that it began; when most kiosks
of a site fall silent together, that is one alert of the site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from central.alerts.ledger import CENTRE, Alert, Silence
from central.alerts.rules import Rule, Rules
from central.fleet.diagnosis import Finding, finding
from central.fleet.words import Code


class Key(NamedTuple):
    """What makes two faults the same."""

    code: Code
    scope: str
    subject: str


@dataclass(slots=True)
class Faults:
    """What is wrong now; what is `covered` is said already of its site, and neither begins nor ends."""

    seen: dict[Key, Finding] = field(default_factory=dict)
    covered: set[Key] = field(default_factory=set)


@dataclass(slots=True)
class Judgement:
    """Alerts that have to be written (those without a number are new), deleted, and told."""

    changed: list[Alert] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    tell_open: list[Alert] = field(default_factory=list)
    tell_closed: list[Alert] = field(default_factory=list)


def faults(kiosks: Mapping[str, Sequence[Finding]], centre: Iterable[Finding], rules: Rules) -> Faults:
    """Return what rules are about: `kiosks` are the findings of every registered kiosk, also of those without."""
    by_code = rules.by_code()
    found = Faults()
    for kiosk, findings in kiosks.items():
        found.seen |= {Key(one.code, kiosk, one.subject): one for one in findings if one.code in by_code}
    found.seen |= {Key(one.code, CENTRE, one.subject): one for one in centre if one.code in by_code}
    for rule in rules.rule:
        if rule.by_site:
            _together(found, rule, rules, kiosks)
    return found


def _together(found: Faults, rule: Rule, rules: Rules, kiosks: Iterable[str]) -> None:
    """Put what most kiosks of a site have under the name of the site."""
    sites: dict[str, int] = {}
    for kiosk in kiosks:
        site = kiosk.partition("/")[0]
        sites[site] = sites.get(site, 0) + 1
    gone: dict[str, list[Key]] = {}
    for key in found.seen:
        if key.code in rule.codes:
            gone.setdefault(key.scope.partition("/")[0], []).append(key)
    for site, keys in gone.items():
        if len(keys) >= max(rules.site_least, rules.site_share * sites[site]):
            since = [one.since for key in keys if (one := found.seen.pop(key)).since is not None]
            said = finding(Code.SITE_SILENT, value=f"{len(keys)} of {sites[site]}", since=min(since, default=None))
            found.seen[Key(Code.SITE_SILENT, f"{site}/*", "")] = said
            found.covered |= set(keys)


def judge(found: Faults, known: Iterable[Alert], silences: Sequence[Silence], rules: Rules, now: datetime) -> Judgement:
    """Return what becomes of the alerts that are not closed, and of the faults that have none yet."""
    by_code, judged = rules.by_code(), Judgement()
    alerts = {Key(one.code, one.scope, one.subject): one for one in known}
    for key, seen in found.seen.items():
        before = alerts.get(key)
        rule = by_code[key.code]
        after = _seen(before, key, seen, rule, now)
        if _is_to_be_told(after, rule, now) and not any(one.fits(key.code, key.scope) for one in silences):
            after = replace(after, told_at=now)
            judged.tell_open.append(after)
        if after != before:
            judged.changed.append(after)
    for key, before in alerts.items():
        if key not in found.seen and key not in found.covered:
            _not_seen(before, by_code.get(key.code), now, judged)
    return judged


def _seen(before: Alert | None, key: Key, seen: Finding, rule: Rule, now: datetime) -> Alert:
    if before is None:
        words = {"severity": seen.severity, "what": seen.what, "remedy": seen.remedy}
        unset = dict.fromkeys(("opened_at", "gone_at", "closed_at", "told_at", "acknowledged_at"))
        before = Alert(id=0, **key._asdict(), **words, since=now, **unset, acknowledged_by="")
    after = replace(before, gone_at=None)
    if after.opened_at is None and now - after.since >= timedelta(seconds=rule.open_after_s):
        after = replace(after, opened_at=now, severity=seen.severity, what=seen.what, remedy=seen.remedy)
    return after


def _is_to_be_told(alert: Alert, rule: Rule, now: datetime) -> bool:
    if alert.opened_at is None:
        return False
    if alert.told_at is None:
        return True
    remind_after = timedelta(hours=rule.remind_after_h)
    return bool(remind_after) and alert.acknowledged_at is None and now - alert.told_at >= remind_after


def _not_seen(before: Alert, rule: Rule | None, now: datetime, judged: Judgement) -> None:
    if before.opened_at is None:
        judged.dropped.append(before.id)
        return
    after = replace(before, gone_at=before.gone_at or now)
    if rule is None or now - after.gone_at >= timedelta(seconds=rule.close_after_s):
        after = replace(after, closed_at=now)
        if after.told_at is not None:
            judged.tell_closed.append(after)
    if after != before:
        judged.changed.append(after)
