"""The power of a real ext4 card is cut in the middle of an installation: what was not synced is gone."""

from __future__ import annotations

import pytest

from provisioning.install import machine_at
from provisioning.network import wifi
from tests.powercut import obstacles
from tests.powercut.loop_card import LoopCard
from tests.provisioning.test_install import run, run_until, tree

NETWORK = dict([wifi("Ferry Terminal", "correct horse")])
IMAGE_BYTES = 16 * 1024 * 1024
STRIDE = 6  # not every write: a card takes its time; `test_install` goes to each, and loses nothing that is unsynced
pytestmark = pytest.mark.journey


def test_a_card_whose_power_is_cut_is_set_up_by_the_same_command(office, at_post, tmp_path):
    if reason := obstacles.to_random_moments():
        pytest.skip(reason)
    reference = at_post(office, "reference", network=NETWORK)
    run(reference)
    wanted, number, was_cut = tree(reference.machine.root), 0, True
    while was_cut:
        post = at_post(office, f"card-{number}", network=NETWORK, replaces=True)
        with LoopCard(tmp_path / f"loop-{number}", image_bytes=IMAGE_BYTES) as card:
            post.machine = machine_at(card.folder)
            was_cut = not run_until(post, number, card.cut)
            if was_cut:
                card.unmount()
                card.mount()
            assert run(post) is True, f"after a power cut before write {number}"
            assert tree(card.folder) == wanted, f"after a power cut before write {number}"
        card.image.unlink()
        number += STRIDE
    assert number > 40, "and there were writes to be cut"
