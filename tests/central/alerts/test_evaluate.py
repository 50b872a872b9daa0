"""When somebody is told, when not yet, when no more: hysteresis, grouping, silences, reminders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.alerts import rules
from central.alerts.evaluate import faults, judge
from central.alerts.ledger import Silence
from central.fleet.diagnosis import finding
from central.fleet.words import WORDS, Code
from edge.errors import SettingError
from tests.central.fleet.fleet import NOW

RULES = rules.parse(
    """
site_share = 0.5
site_least = 3
[[rule]]
codes = ["silent", "offline"]
open_after_s = 300
close_after_s = 60
by_site = true
[[rule]]
codes = ["tamper"]
open_after_s = 0
close_after_s = 0
remind_after_h = 4
[[rule]]
codes = ["broker_lost"]
open_after_s = 0
""",
    "test.toml",
)


class Watch:
    """A fleet whose faults a test sets, evaluated again and again; `told` is what was told, in order."""

    def __init__(self, *kiosks: str) -> None:
        self.findings = {name: [] for name in kiosks}
        self.centre = []
        self.alerts, self.told, self.silences = {}, [], []
        self.now = NOW

    def has(self, code: Code, *kiosks: str) -> None:
        for name in self.findings:
            self.findings[name] = [finding(code)] if name in kiosks else []

    def evaluate(self, seconds: float = 0.0) -> list[str]:
        self.now += timedelta(seconds=seconds)
        found = faults(self.findings, self.centre, RULES)
        known = [one for one in self.alerts.values() if one.closed_at is None]
        judged = judge(found, known, self.silences, RULES, self.now)
        for one in judged.changed:
            number = one.id or len(self.alerts) + 1
            self.alerts[number] = type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"id": number})
        for number in judged.dropped:
            del self.alerts[number]
        told = [f"open {one.code} {one.scope}" for one in judged.tell_open]
        told += [f"over {one.code} {one.scope}" for one in judged.tell_closed]
        return told


def test_somebody_is_told_when_it_has_lasted_and_told_once():
    watch = Watch("a/1")
    watch.has(Code.SILENT, "a/1")
    assert [watch.evaluate(), watch.evaluate(299), watch.evaluate(1), watch.evaluate(10)] == [
        [],
        [],
        ["open silent a/1"],
        [],
    ]


def test_what_does_not_last_is_told_to_nobody_and_leaves_nothing():
    watch = Watch("a/1")
    watch.has(Code.SILENT, "a/1")
    assert watch.evaluate() == []
    watch.has(Code.SILENT)
    assert watch.evaluate(200) == []
    assert watch.alerts == {}
    watch.has(Code.SILENT, "a/1")
    assert watch.evaluate(150) == []


def test_it_is_over_when_it_has_been_gone_long_enough():
    watch = Watch("a/1")
    watch.has(Code.SILENT, "a/1")
    watch.evaluate()
    watch.evaluate(300)
    watch.has(Code.SILENT)
    assert [watch.evaluate(10), watch.evaluate(59), watch.evaluate(1), watch.evaluate(100)] == [
        [],
        [],
        ["over silent a/1"],
        [],
    ]


def test_one_that_comes_back_before_it_is_over_is_still_the_same_alert():
    watch = Watch("a/1")
    watch.has(Code.SILENT, "a/1")
    watch.evaluate()
    watch.evaluate(300)
    watch.has(Code.SILENT)
    watch.evaluate(30)
    watch.has(Code.SILENT, "a/1")
    assert watch.evaluate(20) == []
    watch.has(Code.SILENT)
    assert [watch.evaluate(10), watch.evaluate(59)] == [[], []]
    assert len(watch.alerts) == 1


def test_a_dead_router_is_one_alert_and_not_forty():
    site = [f"a/{number}" for number in range(40)]
    watch = Watch(*site, "b/1")
    watch.has(Code.SILENT, *site[:30])
    watch.evaluate()
    assert watch.evaluate(300) == ["open site_silent a/*"]
    assert [one.what for one in watch.alerts.values() if one.opened_at] == [
        WORDS[Code.SITE_SILENT].what.format(value="30 of 40")
    ]
    watch.has(Code.SILENT)
    watch.evaluate(10)
    assert watch.evaluate(60) == ["over site_silent a/*"]


def test_kiosks_that_fall_silent_one_by_one_are_at_last_one_alert():
    site = [f"a/{number}" for number in range(4)]
    watch = Watch(*site)
    told = []
    for gone in range(1, 5):
        watch.has(Code.SILENT, *site[:gone])
        told += watch.evaluate(60)
    for _ in range(10):
        told += watch.evaluate(60)
    assert told == ["open site_silent a/*"]


def test_an_alert_that_its_site_covers_is_neither_over_nor_told_again():
    site = [f"a/{number}" for number in range(4)]
    watch = Watch(*site)
    watch.has(Code.SILENT, "a/0")
    watch.evaluate()
    told = watch.evaluate(300)
    watch.has(Code.SILENT, *site)
    for _ in range(10):
        told += watch.evaluate(60)
    assert told == ["open silent a/0", "open site_silent a/*"]


def test_two_silent_kiosks_are_no_silent_site():
    watch = Watch("a/1", "a/2")
    watch.has(Code.SILENT, "a/1", "a/2")
    watch.evaluate()
    assert watch.evaluate(300) == ["open silent a/1", "open silent a/2"]


def test_offline_and_silent_kiosks_of_a_site_count_together():
    watch = Watch("a/1", "a/2", "a/3")
    watch.findings = {"a/1": [finding(Code.OFFLINE)], "a/2": [finding(Code.SILENT)], "a/3": [finding(Code.OFFLINE)]}
    watch.evaluate()
    assert watch.evaluate(300) == ["open site_silent a/*"]


@pytest.mark.parametrize(("code", "scope"), [("tamper", "a/1"), ("*", "a/*"), ("tamper", "*"), ("*", "*")])
def test_what_is_silenced_is_told_when_the_silence_ends_and_it_still_lasts(code, scope):
    watch = Watch("a/1")
    watch.silences = [Silence(1, code, scope, "officer", NOW, NOW + timedelta(hours=1))]
    watch.has(Code.TAMPER, "a/1")
    assert watch.evaluate() == []
    watch.silences = []
    assert watch.evaluate(3600) == ["open tamper a/1"]


@pytest.mark.parametrize(("code", "scope"), [("silent", "a/1"), ("*", "b/*"), ("tamper", "a/11"), ("*", "centre")])
def test_a_silence_of_something_else_silences_nothing(code, scope):
    watch = Watch("a/1")
    watch.silences = [Silence(1, code, scope, "officer", NOW, NOW + timedelta(hours=1))]
    watch.has(Code.TAMPER, "a/1")
    assert watch.evaluate() == ["open tamper a/1"]


def test_what_began_and_ended_in_silence_is_never_told():
    watch = Watch("a/1")
    watch.silences = [Silence(1, "*", "*", "officer", NOW, NOW + timedelta(hours=1))]
    watch.has(Code.TAMPER, "a/1")
    watch.evaluate()
    watch.has(Code.TAMPER)
    assert watch.evaluate(10) == []


def test_it_is_told_again_while_nobody_takes_care():
    watch = Watch("a/1")
    watch.has(Code.TAMPER, "a/1")
    told = [watch.evaluate(), watch.evaluate(4 * 3600 - 1), watch.evaluate(1)]
    assert told == [["open tamper a/1"], [], ["open tamper a/1"]]
    one = watch.alerts[1]
    watch.alerts[1] = type(one)(
        **{name: getattr(one, name) for name in one.__slots__} | {"acknowledged_at": watch.now, "acknowledged_by": "O"}
    )
    assert watch.evaluate(10 * 3600) == []


def test_a_kiosk_that_is_revoked_takes_its_alerts_with_it():
    watch = Watch("a/1")
    watch.has(Code.TAMPER, "a/1")
    watch.evaluate()
    watch.findings = {}
    assert watch.evaluate(1) == ["over tamper a/1"]


def test_what_no_rule_names_is_told_to_nobody():
    watch = Watch("a/1")
    watch.has(Code.VERSION_BEHIND, "a/1")
    assert [watch.evaluate(), watch.evaluate(100_000)] == [[], []]
    assert watch.alerts == {}


def test_the_centre_alerts_in_its_own_name():
    watch = Watch()
    watch.centre = [finding(Code.BROKER_LOST)]
    assert watch.evaluate() == ["open broker_lost centre"]


def test_the_rules_that_ship_can_be_read_and_tell_of_all_that_is_critical():
    shipped = rules.load(None).by_code()
    # Nobody can be told by a watcher that there is none, nor through channels that do not work.
    silent = {Code.NOBODY_WATCHES, Code.NOT_TOLD}
    severe = {code for code, words in WORDS.items() if words.severity == 0}
    assert severe - silent <= shipped.keys()


WRONG = {
    "no TOML": ("[", "is not TOML"),
    "unknown key": ("[[rule]]\ncodes = ['tamper']\nafter = 3", "is no setting"),
    "unknown code": ("[[rule]]\ncodes = ['tampr']", "invalid enum value"),
    "no codes": ("[[rule]]\ncodes = []", "length >= 1"),
    "unknown channel": ("[[rule]]\ncodes = ['tamper']\nto = ['fax']", "invalid enum value"),
    "one code in two rules": ("[[rule]]\ncodes = ['tamper']\n[[rule]]\ncodes = ['tamper']", "in one rule alone"),
    "tampering by site": ("[[rule]]\ncodes = ['tamper']\nby_site = true", "silent and offline alone"),
    "negative time": ("[[rule]]\ncodes = ['tamper']\nopen_after_s = -1", ">= 0"),
}


@pytest.mark.parametrize(("text", "right"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_rule_is_refused_with_the_name_of_its_file(text, right):
    with pytest.raises(SettingError) as caught:
        rules.parse(text, "mine.toml")
    assert caught.value.file == "mine.toml"
    assert right in str(caught.value)
