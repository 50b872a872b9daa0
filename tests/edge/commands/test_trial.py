"""Settings on trial, whatever happens in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.commands import trial
from edge.commands.start import settings_in_force, settings_to_start_with
from edge.commands.trial import FILE, MOST_STARTS, Overlays
from edge.errors import StoreError
from edge.wire.commands import Desired
from tests.edge.test_credentials import provisioned

GOOD, BETTER = {"uplink": {"port": 8884}}, {"uplink": {"port": 8885}}


def desired(settings: dict, revision: int = 1) -> Desired:
    return Desired(f"id-{revision}", "utopia/lane-1", revision, "2026-03-01T12:00:00.000Z", 300.0, settings)


@pytest.fixture
def folder(tmp_path) -> Path:
    provisioned(tmp_path)
    return tmp_path


def port(folder: Path) -> int:
    """Start a daemon, as far as its settings go, and return the port that it would use."""
    return settings_to_start_with(folder / "kiosk.toml", {}).settings.uplink.port


def test_new_settings_are_in_force_from_the_next_start_and_stay_when_they_are_settled(folder) -> None:
    assert port(folder) == 8883
    trial.write(folder, trial.begun(trial.read(folder), desired(GOOD)))
    assert port(folder) == 8884
    trial.write(folder, trial.settled(trial.read(folder)))
    assert [port(folder) for _ in range(2 * MOST_STARTS)] == [8884] * 2 * MOST_STARTS
    assert trial.read(folder).state == "settled"


def test_a_trial_that_is_lost_brings_back_what_was_settled_before(folder) -> None:
    trial.write(folder, trial.settled(trial.begun(Overlays(), desired(GOOD))))
    trial.write(folder, trial.begun(trial.read(folder), desired(BETTER, 2)))
    assert port(folder) == 8885
    trial.write(folder, trial.rolled_back(trial.read(folder), "why"))
    assert port(folder) == 8884
    kept = trial.read(folder)
    assert (kept.state, kept.revision, kept.id, kept.detail) == ("rolled_back", 2, "id-2", "why")


def test_a_kiosk_that_falls_at_each_start_gives_new_settings_up_by_itself(folder) -> None:
    trial.write(folder, trial.begun(Overlays(), desired(GOOD)))
    assert [port(folder) for _ in range(MOST_STARTS + 2)] == [8884] * MOST_STARTS + [8883] * 2
    assert trial.read(folder).state == "rolled_back"


def test_empty_settings_bring_the_file_back(folder) -> None:
    trial.write(folder, trial.settled(trial.begun(Overlays(), desired(GOOD))))
    trial.write(folder, trial.settled(trial.begun(trial.read(folder), desired({}, 2))))
    assert port(folder) == 8883


def test_settings_that_no_longer_fit_the_file_never_keep_a_kiosk_from_starting(folder) -> None:
    unfit = {"lanes": {"left": {"policy": {"show_s": 3.0}}}}
    trial.write(folder, trial.settled(trial.begun(Overlays(), desired(unfit))))
    file = folder / "kiosk.toml"
    file.write_text(file.read_text().replace('"left"', '"right"'))
    in_force = settings_to_start_with(file, {})
    assert in_force.settings.lanes[0].policy.show_s == 2.0
    assert "lanes.left is no lane of this kiosk" in in_force.trouble
    trial.write(folder, trial.begun(trial.read(folder), desired(unfit, 2)))
    settings_to_start_with(file, {})
    assert trial.read(folder).state == "rolled_back"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"trial":1}', b"[" * 100_000, b"null"])
def test_a_file_that_no_landfall_wrote_is_as_none(folder, content) -> None:
    (folder / FILE).write_bytes(content)
    assert trial.read(folder) == Overlays()
    assert port(folder) == 8883


def test_a_start_that_the_disk_cannot_count_is_made_with_what_worked_before(folder, monkeypatch) -> None:
    trial.write(folder, trial.begun(Overlays(), desired(GOOD)))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    in_force = settings_to_start_with(folder / "kiosk.toml", {})
    assert in_force.settings.uplink.port == 8883
    assert "No space left" in in_force.trouble
    with pytest.raises(StoreError, match="No space left"):
        trial.write(folder, Overlays())
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_whoever_looks_from_outside_counts_no_start(folder) -> None:
    trial.write(folder, trial.begun(Overlays(), desired(GOOD)))
    for _ in range(2 * MOST_STARTS):
        assert settings_in_force(folder / "kiosk.toml", {}).uplink.port == 8884


@pytest.mark.parametrize(("asked_s", "given_s"), [(-5.0, 1.0), (0.0, 1.0), (60.0, 60.0), (1e9, 3600.0)])
def test_a_trial_is_neither_endless_nor_over_before_it_began(asked_s, given_s) -> None:
    wish = Desired("id", "utopia/lane-1", 1, "", asked_s, GOOD)
    assert trial.begun(Overlays(), wish).trial.trial_s == given_s


KILLED_AT = ("before the draft", "after the draft", "after the sync", "after the rename")
WRITER = """
import os, sys, signal
from pathlib import Path
from edge.commands import trial
from edge.wire.commands import Desired

step = int(sys.argv[2])
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
opened, synced, replaced = os.open, os.fsync, os.replace
def open_(*a, **k):
    if step == 0: die()
    return opened(*a, **k)
def fsync(fd):
    if step == 1: die()
    synced(fd)
    if step == 2: die()
def replace(*a):
    replaced(*a)
    if step == 3: die()
folder = Path(sys.argv[1])
before = trial.read(folder)
wish = Desired("id-2", "utopia/lane-1", 2, "", 300.0, {"uplink": {"port": 8885}})
os.open, os.fsync, os.replace = open_, fsync, replace
trial.write(folder, {"begun": lambda: trial.begun(before, wish), "settled": lambda: trial.settled(before),
    "rolled_back": lambda: trial.rolled_back(before, "why"), "started": lambda: trial.started(before)}[sys.argv[3]]())
"""


@pytest.mark.parametrize("step", range(4), ids=lambda step: KILLED_AT[step])
@pytest.mark.parametrize("what", ["begun", "started", "settled", "rolled_back"])
def test_a_cut_at_each_step_of_each_change_leaves_the_state_before_or_after_it(folder, step, what) -> None:
    before = trial.settled(trial.begun(Overlays(), desired(GOOD)))
    if what != "begun":
        before = trial.started(trial.begun(before, desired(BETTER, 2)))
    trial.write(folder, before)
    ended = subprocess.run([sys.executable, "-c", WRITER, str(folder), str(step), what], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    after = trial.read(folder)
    if step < 3:
        assert after == before
    else:
        assert after != before
    starts = [port(folder) for _ in range(MOST_STARTS + 2)]
    if after.state == "settled":
        assert set(starts) == {after.settled["uplink"]["port"]}, "it stays with what was settled"
    else:
        assert starts[-1] == 8884, "whatever the trial did, the kiosk comes back to what worked"
