"""A slice of `make powercut` for every run: fewer cuts, both ways, and proof that a loss would be seen."""

from __future__ import annotations

import pytest

from tests.powercut import obstacles
from tests.powercut.figures import Figures
from tests.powercut.random_moments import cut_at_random

pytestmark = pytest.mark.journey
SEED = 1


def no_progress(done: int, total: int) -> None:
    pass


@pytest.fixture
def fuse() -> None:
    if reason := obstacles.to_every_write():
        pytest.skip(reason)


@pytest.fixture
def loop() -> None:
    if reason := obstacles.to_random_moments():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def every_write(tmp_path_factory: pytest.TempPathFactory) -> tuple[Figures, Figures]:
    """Return the count of a short run cut at every write, and of whole kiosks started on some of what was left."""
    if reason := obstacles.to_every_write():
        pytest.skip(reason)
    from tests.powercut.every_write import cut_everywhere, record, start_at_some

    folder = tmp_path_factory.mktemp("every-write")
    post, recording = record(folder, photographed=6, lives=2, seed=SEED)
    cuts = cut_everywhere(recording, folder, seed=SEED, progress=no_progress)
    starts = start_at_some(post, recording, starts=2, seed=SEED, progress=no_progress)
    return cuts, starts


def test_no_cut_at_any_write_loses_whoever_saw_a_lamp(every_write):
    cuts, _ = every_write
    assert len(cuts.seen_off) == 12
    assert cuts.released, "nothing was purged, so that was not tried"
    assert cuts.lost == set(), cuts.remarks
    assert (cuts.twice, cuts.breaks, cuts.unopened, cuts.salvaged) == (0, 0, 0, 0), cuts.remarks


def test_no_cut_at_any_write_parts_a_crossing_from_its_photo(every_write):
    cuts, _ = every_write
    assert cuts.halves == 0, cuts.remarks


def test_a_whole_kiosk_starts_on_what_a_cut_left_and_lets_the_next_traveller_pass(every_write):
    _, starts = every_write
    assert starts.starts == 2
    assert starts.lost == set(), starts.remarks
    assert starts.unopened == 0, starts.remarks


@pytest.mark.parametrize("sabotage", ["NORMAL", "LATE"])
def test_a_kiosk_that_does_not_wait_for_the_card_is_found_out_at_every_write(fuse, tmp_path, sabotage):
    from tests.powercut.every_write import cut_everywhere, record

    _, recording = record(tmp_path, photographed=2, lives=1, seed=SEED, sabotage=sabotage)
    cuts = cut_everywhere(recording, tmp_path, seed=SEED, progress=no_progress)
    assert cuts.lost


def test_cuts_at_random_moments_lose_nobody_on_the_card_nor_at_the_centre(loop, tmp_path):
    figures = cut_at_random(tmp_path, cuts=8, posts=2, seed=SEED, progress=no_progress)
    assert figures.cuts == 8
    assert figures.is_clean, figures.remarks


def test_a_kiosk_that_does_not_sync_is_found_out_at_random_moments(loop, tmp_path):
    figures = cut_at_random(tmp_path, cuts=2, posts=1, seed=SEED, progress=no_progress, sabotage="OFF")
    assert figures.lost
