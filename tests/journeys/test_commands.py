"""Commands from the centre to a running kiosk and back, over a real broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from central import commands, database, kiosk_settings
from central.commands import Issued
from central.kiosk_settings import KioskSetting
from edge.renewal import WISH
from provisioning.local_deployment import Process, wait_until
from tests.journeys.world import KIOSK, World

pytestmark = pytest.mark.journey
POLICY = "show_s = 0.02, refer_s = 0.1, collect_s = 2, repeat_s = 0.5"


@contextmanager
def kept_alive(kiosk: Process) -> Iterator[None]:
    """Start the kiosk again whenever it ends, as systemd does."""
    is_over = threading.Event()

    def keep() -> None:
        while not is_over.wait(0.1):
            if not kiosk.is_running:
                kiosk.start()

    thread = threading.Thread(target=keep)
    kiosk.start(ready="uplink connected")
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def ask(here: World, name: str, arguments: dict[str, Any]) -> str:
    assert here.engine is not None
    return commands.issue(here.engine, KIOSK, name, arguments, "officer", datetime.now(UTC))


def answer(here: World, id: str, within_s: float = 40.0) -> Issued:
    """Wait for what came of a command."""
    assert here.engine is not None
    engine = here.engine

    def is_answered() -> bool:
        found = commands.show_command(engine, id)
        return found is not None and found.result is not None

    wait_until(is_answered, within_s, f"command {id} is answered")
    found = commands.show_command(engine, id)
    assert found is not None
    return found


def test_a_kiosk_shows_itself_tells_how_it_is_and_takes_back_settings_that_cut_it_off(
    world: Callable[..., World],
) -> None:
    here = world()
    kiosk = here.add_kiosk(policy=POLICY, count=3)
    with kept_alive(kiosk):
        here.have_passed(3)
        shown = answer(here, ask(here, "identify", {"seconds": 1}))
        assert (shown.result, shown.detail) == ("done", "1 of 1 lanes blink for 1 s")
        told = answer(here, ask(here, "diagnostics", {}))
        assert told.result == "done" and told.content is not None
        assert told.content["health"]["kiosk"] == KIOSK and "kiosk started" in " ".join(told.content["log"])

        wrong = {"settings": {"uplink": {"port": 1}}, "trial_s": 2.0}
        lost = answer(here, ask(here, "settings", wrong))
        assert (lost.result, lost.detail) == ("failed", "the centre was not reached within 2 s")
        never = answer(here, ask(here, "settings", {"settings": {"keys": {"record": "x"}}}))
        assert (never.result, never.detail) == ("refused", "desired settings: keys may not be set from afar")
        good = answer(here, ask(here, "settings", {"settings": {"uplink": {"health_s": 2.0}}, "trial_s": 20.0}))
        assert (good.result, good.detail) == ("done", "the settings are in force")
        with database.reading(here.engine) as connection:
            told = kiosk_settings.find(connection, KIOSK)
        assert KioskSetting("uplink.health_s", "2.0", "30.0", is_from_afar=True) in told.settings

        rewound = answer(here, ask(here, "rewind", {"stream": "crossing", "from": 2}))
        assert rewound.result == "done"
        renewed = answer(here, ask(here, "renew", {}))
        assert (renewed.result, renewed.detail) == ("done", "asks the centre for its keys in 0 s")
        wait_until((here.folder() / WISH).exists, 20.0, "the machine is told to ask")
        here.drained()
    assert here.reconciles()
