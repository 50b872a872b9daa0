"""The power of a real ext4 card is cut in the middle of an installation: what was not synced is gone."""

from __future__ import annotations

import os
import signal

import pytest

from provisioning.install import Installation, machine_at
from provisioning.network import wifi
from tests.powercut import obstacles
from tests.powercut.loop_card import LoopCard
from tests.provisioning.test_install import WRITES, run, tree

NETWORK = dict([wifi("Ferry Terminal", "correct horse")])
IMAGE_BYTES = 16 * 1024 * 1024
STRIDE = (
    6  # every sixth write: a card takes its time; `test_install` goes to every one, without losing what is unsynced
)
pytestmark = pytest.mark.journey


def is_cut_before(post, number, card):
    """Install in a child; the card's power is cut before its `number`th write. Tell whether it came to that."""
    child = os.fork()
    if child == 0:
        left = number
        for name in WRITES:

            def counted(*given, _call=getattr(os, name), **named):
                nonlocal left
                left -= 1
                if left < 0:
                    card.cut()
                    os.kill(os.getpid(), signal.SIGKILL)
                return _call(*given, **named)

            setattr(os, name, counted)
        try:
            Installation(post.bundle, post.machine).run(lambda line: None)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


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
            was_cut = is_cut_before(post, number, card)
            if was_cut:
                card.unmount()
                card.mount()
            assert run(post) is True, f"after a power cut before write {number}"
            assert tree(card.folder) == wanted, f"after a power cut before write {number}"
        card.image.unlink()
        number += STRIDE
    assert number > 40, "and there were writes to be cut"
