"""When settings from afar are tried, kept and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from edge.commands import trial
from edge.commands.settings_desk import HELD_S, WRITE_AGAIN_S, Hands, OverlaysKept, SettingsDesk
from edge.commands.trial import Overlays
from edge.errors import SettingError
from edge.wire.commands import Desired, Reported, Result, SettingInForce
from tests.edge.lane import moment

KIOSK = "utopia/lane-1"
IN_FORCE = (SettingInForce("uplink.port", "8883", "8883"),)


def desired(revision: int = 1, **settings: Any) -> Desired:
    return Desired(f"id-{revision}", KIOSK, revision, "", 60.0, settings or {"uplink": {"port": 1}})


class Post:
    """A desk on a disk that the test lets work or fail."""

    def __init__(self, overlays: Overlays | None = None) -> None:
        self.overlays = overlays or Overlays()
        self.error = ""
        self.audits: list[str] = []
        self.replies: list[tuple[str, Result, str]] = []
        self.reports: list[tuple[str, int, dict]] = []
        self.restarts: list[str] = []
        self.writes: list[Overlays] = []
        hands = Hands(
            check=self._check,
            write=self.writes.append,
            audit=lambda event, **_: self.audits.append(event),
            reply=lambda reply: self.replies.append((reply.id, reply.result, reply.detail)),
            report=self._take_report,
            restart=self.restarts.append,
        )
        self.desk = SettingsDesk(KIOSK, "0.1.0", "0" * 64, self.overlays, hands, began_s=0.0, in_force=IN_FORCE)

    def _take_report(self, said: Reported) -> None:
        assert said.in_force == IN_FORCE, "each report has the whole"
        self.reports.append((said.state, said.revision, said.settings))

    def _check(self, settings: dict) -> None:
        if "kiosk" in settings:
            raise SettingError("desired settings", "kiosk", "may not be set from afar")

    def write(self, at_s: float = 0.0) -> None:
        """Let the disk take, or refuse, what is to be written."""
        overlays = self.writes.pop()
        if not self.error:
            self.overlays = overlays
        self.desk.kept(OverlaysKept(overlays, self.error), moment(at_s))


def on_trial() -> Post:
    """Return a post that was started with settings on trial."""
    return Post(trial.started(trial.begun(Overlays(), desired())))


def test_new_settings_are_written_audited_and_tried_by_a_restart() -> None:
    post = Post()
    post.desk.desired(desired())
    assert post.restarts == [], "not before they are on disk"
    post.write()
    assert (post.overlays.state, post.audits, post.restarts) == ("trial", ["settings_trial"], ["settings tried"])


def test_a_receipt_for_the_old_settings_does_not_win_the_trial_of_the_new_ones() -> None:
    post = Post()
    post.desk.desired(desired())
    post.write()
    post.desk.reached()
    post.desk.connected(moment(1))
    post.desk.desired(desired(2))
    post.desk.tick(moment(1000))
    assert post.writes == [] and post.overlays.state == "trial"
    assert post.desk.deadline_s is None


def test_settings_that_cannot_be_in_force_are_refused_with_the_sentence() -> None:
    post = Post()
    post.desk.desired(desired(kiosk={"name": "x"}))
    post.write()
    assert post.restarts == []
    assert post.replies == [("id-1", Result.REFUSED, "desired settings: kiosk may not be set from afar")]
    assert post.reports == [("refused", 1, {})]


def test_the_retained_message_that_comes_with_each_connection_is_not_tried_again() -> None:
    for overlays in (trial.rolled_back(on_trial().overlays, "why"), trial.settled(on_trial().overlays)):
        post = Post(overlays)
        post.desk.desired(desired())
        assert post.writes == []


def test_settings_of_another_kiosk_are_not_ours() -> None:
    post = Post()
    post.desk.desired(Desired("id", "utopia/lane-2", 9, "", 60.0, {}))
    assert post.writes == []


def test_a_receipt_wins_the_trial() -> None:
    post = on_trial()
    post.desk.connected(moment(1))
    post.desk.reached()
    post.write()
    assert post.overlays.state == "settled"
    assert post.replies == [("id-1", Result.DONE, "the settings are in force")]
    assert post.reports[-1] == ("settled", 1, {"uplink": {"port": 1}})
    assert post.desk.deadline_s is None and post.restarts == []


def test_a_connection_that_holds_wins_the_trial_and_one_that_breaks_does_not() -> None:
    post = on_trial()
    post.desk.connected(moment(1))
    post.desk.disconnected()
    post.desk.tick(moment(1 + HELD_S))
    assert post.writes == []
    post.desk.connected(moment(20))
    post.desk.tick(moment(20 + HELD_S - 0.1))
    assert post.writes == []
    post.desk.tick(moment(20 + HELD_S))
    assert post.writes[0].state == "settled"


def test_newer_settings_that_come_in_a_trial_prove_that_it_works() -> None:
    post = on_trial()
    post.desk.desired(desired(2, kiosk={}))
    post.write(5)
    assert (post.overlays.state, post.overlays.in_force) == ("refused", {"uplink": {"port": 1}})
    assert post.desk.deadline_s is None
    post = on_trial()
    post.desk.desired(desired(2, uplink={"port": 2}))
    post.write(5)
    assert (post.overlays.settled, post.overlays.in_force) == ({"uplink": {"port": 1}}, {"uplink": {"port": 2}})


def test_a_trial_whose_time_is_over_is_taken_back_by_a_restart() -> None:
    post = on_trial()
    assert post.desk.deadline_s == 60.0
    post.desk.tick(moment(59.9))
    assert post.writes == []
    post.desk.tick(moment(60))
    post.write()
    assert (post.overlays.state, post.restarts) == ("rolled_back", ["settings rolled back"])
    back = Post(post.overlays)
    back.desk.connected(moment(5))
    assert back.replies == [("id-1", Result.FAILED, "the centre was not reached within 60 s")]
    assert back.reports == [("rolled_back", 1, {})]


def test_the_result_is_said_once_a_start_and_the_report_with_each_connection() -> None:
    post = Post(trial.settled(on_trial().overlays))
    for at_s in (1, 2, 3):
        post.desk.connected(moment(at_s))
    assert (len(post.replies), len(post.reports)) == (1, 3)


def test_a_kiosk_to_which_nothing_was_ever_sent_reports_its_own_file() -> None:
    post = Post()
    post.desk.connected(moment(1))
    assert (post.reports, post.replies) == ([("local", 0, {})], [])


def test_a_win_that_the_disk_did_not_take_is_written_later_and_not_taken_back() -> None:
    post = on_trial()
    post.desk.reached()
    post.error = "no room"
    post.write(1)
    post.desk.tick(moment(60))
    assert [overlays.state for overlays in post.writes] == ["settled"]
    assert post.restarts == [] and WRITE_AGAIN_S < 60


def test_a_loss_that_the_disk_did_not_take_ends_in_a_restart_which_is_counted() -> None:
    post = on_trial()
    post.error = "no room"
    post.desk.tick(moment(60))
    post.write(60)
    assert post.restarts == ["settings rolled back"]


def test_settings_that_the_disk_did_not_take_are_not_tried_and_may_come_again() -> None:
    post = Post()
    post.error = "no room"
    post.desk.desired(desired())
    post.write()
    assert (post.restarts, post.replies) == ([], [])
    post.error = ""
    post.desk.desired(desired())
    post.write()
    assert post.restarts == ["settings tried"]


@pytest.mark.parametrize("revision", [-1, 0, 1])
def test_an_older_revision_is_not_followed(revision) -> None:
    post = Post(trial.settled(on_trial().overlays))
    post.desk.desired(desired(revision))
    assert post.writes == []
