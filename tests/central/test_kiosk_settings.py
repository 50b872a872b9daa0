"""What kiosks report of their settings is kept, one report a kiosk, and cut to size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import event

from central import database, kiosk_settings
from central.kiosk_settings import MOST_CHARACTERS, KioskSetting
from edge.errors import ContractError
from edge.wire.commands import MOST_SETTINGS, Reported, SettingInForce
from edge.wire.messages import decode

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KIOSK = "utopia/lane-1"
HOSTILE = "<script>\0\u202e\ud7ff\U0010ffff" + "A" * 1_000_000


def reported(*in_force: SettingInForce, at: str = "2026-03-01T12:00:01.000Z", **more) -> Reported:
    said = {"state": "settled", "id": "an-id", "revision": 7} | more
    return Reported(KIOSK, at, "0.1.0", "0" * 64, **said, in_force=in_force)


def kept(engine, said: Reported, now: datetime = NOW):
    kiosk_settings.keep(engine, said, now)
    with database.reading(engine) as connection:
        return kiosk_settings.find(connection, KIOSK)


def test_the_last_report_takes_the_place_of_the_one_before(engine) -> None:
    with database.reading(engine) as connection:
        assert kiosk_settings.find(connection, KIOSK) is None
    port = SettingInForce("uplink.port", "8884", "8883")
    found = kept(engine, reported(port, settings={"uplink": {"port": 8884}}))
    assert found.settings == (KioskSetting("uplink.port", "8884", "8883", is_from_afar=True),)
    assert (found.state, found.taken_at) == ("settled", "2026-03-01T12:00:00.000Z")
    found = kept(engine, reported(port, at="2026-03-01T12:05:00.000Z"), NOW + timedelta(minutes=5))
    assert (found.settings[0].is_from_afar, found.taken_at) == (False, "2026-03-01T12:05:00.000Z")


def test_a_report_that_the_broker_says_again_is_not_written_again(engine) -> None:
    kept(engine, reported())
    written = []
    event.listen(engine, "before_cursor_execute", lambda *call: written.append(call[2].split()[0]))
    assert kept(engine, reported(), NOW + timedelta(days=1)).taken_at == "2026-03-01T12:00:00.000Z"
    assert "INSERT" not in written


def test_what_a_hostile_kiosk_reports_is_bounded_and_printable(engine) -> None:
    many = [SettingInForce(f"uplink.a{n}", HOSTILE, HOSTILE) for n in range(MOST_SETTINGS + 50)]
    nested: dict = {}
    for _ in range(200):
        nested = {HOSTILE: nested, "x": 1}
    found = kept(
        engine,
        reported(
            SettingInForce(HOSTILE, "", None), *many, detail=HOSTILE, state=HOSTILE, revision=10**40, settings=nested
        ),
    )
    assert len(found.settings) == MOST_SETTINGS - 1
    text = msgspec.json.encode(found).decode()
    assert len(text) < 2 * MOST_SETTINGS * (MOST_CHARACTERS * 4 + 100)
    assert all(char.isprintable() for char in found.settings[0].value + found.detail + found.state)


@pytest.mark.parametrize(
    "in_force",
    ['"x"', "[1]", '[{"key":1,"value":"","default":null}]', '[{"key":"a"}]', '{"a":1}', "[" * 3000],
    ids=["text", "numbers", "key", "missing", "object", "depth"],
)
def test_a_report_of_the_wrong_form_is_refused_as_a_whole(in_force) -> None:
    text = f'{{"kiosk":"{KIOSK}","at":"","version":"","settings_sha256":"","state":"","in_force":{in_force}}}'
    with pytest.raises(ContractError):
        decode(Reported, text.encode())
