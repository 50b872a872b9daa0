"""Commands are written down, sent one after the other until they are answered, and kept with their answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from central import commands, registry
from central.cli import main
from central.commands import AGAIN, EXPIRES, Order
from edge.errors import ContractError, LandfallError, SealError
from edge.seal import Signer, Verifier, throwaway_key
from edge.wire.commands import (
    COMMAND_TYP,
    DESIRED_TYP,
    REPLY_TYP,
    REPORTED_TYP,
    Command,
    Desired,
    Reply,
    Reported,
    Result,
)
from edge.wire.messages import decode, encode
from edge.wire.topics import parse_topic
from tests.harness.kiosk_records import new_signing_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KIOSK, OTHER = "utopia/lane-1", "utopia/lane-2"
CENTRE, KEY = new_signing_key(), new_signing_key()
SIGNER = Signer(CENTRE)


@pytest.fixture
def database(engine):
    """Return a database in which two kiosks are registered."""
    registry.add_kiosk(engine, KIOSK, KEY, NOW)
    registry.add_kiosk(engine, OTHER, new_signing_key(), NOW)
    return engine


def due(engine, after: timedelta = timedelta()) -> list[Order]:
    return commands.due(engine, NOW + after, SIGNER)


def said(order: Order) -> Command | Desired:
    """Return what an order says, verified."""
    kind, typ = (Desired, DESIRED_TYP) if order.is_retained else (Command, COMMAND_TYP)
    return decode(kind, Verifier([CENTRE]).verify(order.payload, typ))


def reply(id: str, kiosk: str = KIOSK, result: Result = Result.DONE, **more) -> Reply:
    return Reply(id, kiosk, result, "2026-03-01T12:00:01.000Z", **more)


def test_a_command_is_signed_for_one_kiosk_with_counter_and_expiry(database) -> None:
    id = commands.issue(database, KIOSK, "identify", {"seconds": 5}, "officer", NOW)
    (order,) = due(database)
    assert (order.topic, order.is_retained) == ("landfall/v1/utopia/lane-1/command/identify", False)
    command = said(order)
    assert (command.id, command.kiosk, command.name, command.arguments) == (id, KIOSK, "identify", {"seconds": 5})
    assert command.expires_at == "2026-03-01T12:15:00.000Z" and command.counter == int(NOW.timestamp() * 1000)


def test_counters_of_a_kiosk_grow_though_the_clock_or_the_database_goes_back(database) -> None:
    for shift in (0, -5, 0, 60, -3600):
        commands.issue(database, KIOSK, "identify", {}, "officer", NOW + timedelta(seconds=shift), expires=EXPIRES * 9)
    counters = []
    for number in range(5):
        (order,) = due(database, number * AGAIN)
        counters.append(said(order).counter)
        commands.take_reply(database, reply(said(order).id), NOW)
    assert counters == sorted(set(counters)) and len(counters) == 5
    assert counters[0] >= int(NOW.timestamp() * 1000), "above all that a restored database has forgotten"


def test_the_commands_of_a_kiosk_go_one_after_the_other_and_kiosks_do_not_wait_for_each_other(database) -> None:
    first = commands.issue(database, KIOSK, "identify", {}, "officer", NOW)
    second = commands.issue(database, KIOSK, "restart", {}, "officer", NOW)
    other = commands.issue(database, OTHER, "restart", {}, "officer", NOW)
    assert {said(order).id for order in due(database)} == {first, other}
    assert due(database) == []
    assert commands.take_reply(database, reply(first), NOW)
    assert [said(order).id for order in due(database)] == [second]


def test_an_unanswered_command_is_sent_again_until_it_expires_and_then_the_next_goes(database) -> None:
    first = commands.issue(database, KIOSK, "identify", {}, "officer", NOW)
    second = commands.issue(database, KIOSK, "restart", {}, "officer", NOW, expires=2 * EXPIRES)
    times = [timedelta(), AGAIN, 2 * AGAIN, EXPIRES + AGAIN]
    assert [[said(order).id for order in due(database, at)] for at in times] == [[first]] * 3 + [[second]]
    assert commands.show_command(database, first).attempts == 3


def test_settings_are_retained_do_not_expire_and_only_the_last_count(database) -> None:
    commands.issue(database, KIOSK, "settings", {"settings": {"uplink": {"port": 1}}}, "officer", NOW)
    last = commands.issue(
        database, KIOSK, "settings", {"settings": {"uplink": {"port": 2}}, "trial_s": 60}, "officer", NOW
    )
    commands.issue(database, KIOSK, "identify", {}, "officer", NOW)
    orders = due(database)
    assert [order.topic.rpartition("lane-1/")[2] for order in orders] == ["desired", "command/identify"]
    desired = said(orders[0])
    assert (desired.id, desired.settings, desired.trial_s) == (last, {"uplink": {"port": 2}}, 60.0)
    assert [order.is_retained for order in due(database, timedelta(days=100))] == [True]


def test_the_first_answer_counts_and_only_the_kiosks_own(database) -> None:
    id = commands.issue(database, KIOSK, "diagnostics", {}, "officer", NOW)
    assert not commands.take_reply(database, reply(id, OTHER), NOW)
    assert not commands.take_reply(database, reply("unknown"), NOW)
    assert commands.take_reply(database, reply(id, content={"health": {"at": "x"}}, detail="a\x1bb"), NOW)
    assert not commands.take_reply(database, reply(id, result=Result.FAILED), NOW)
    found = commands.show_command(database, id)
    assert (found.result, found.detail, found.content) == ("done", "a?b", {"health": {"at": "x"}})
    assert commands.list_commands(database)[0].content is None


@pytest.mark.parametrize(
    ("state", "result"),
    [("settled", "done"), ("rolled_back", "failed"), ("refused", "refused"), ("trial", None), ("local", None)],
)
def test_what_a_kiosk_reports_of_its_settings_answers_too(database, state, result) -> None:
    id = commands.issue(database, KIOSK, "settings", {"settings": {}}, "officer", NOW)
    reported = Reported(KIOSK, "2026-03-01T12:00:01.000Z", "0.1.0", "0" * 64, state, id, 1, "why")
    assert commands.take_reported(database, reported, NOW) == (result is not None)
    assert commands.show_command(database, id).result == result


@pytest.mark.parametrize(
    ("kiosk", "name", "arguments", "by", "why"),
    [
        ("utopia/lane-9", "identify", {}, "officer", "not registered"),
        (KIOSK, "format", {}, "officer", "no command"),
        (KIOSK, "resend", {}, "officer", "no command"),
        (KIOSK, "identify", {"x": "y" * 40_000}, "officer", "larger than"),
        (KIOSK, "identify", {"x": object()}, "officer", "cannot be sent"),
        (KIOSK, "settings", {"settings": [], "trial_s": 60}, "officer", "must be a table"),
        (KIOSK, "settings", {"settings": {}, "trial_s": float("nan")}, "officer", "a trial lasts"),
        (KIOSK, "settings", {"settings": {}, "trial_s": None}, "officer", "a trial lasts"),
        (KIOSK, "settings", {"settings": {}, "trial_s": "60"}, "officer", "a trial lasts"),
        (KIOSK, "identify", {}, "", "who asks"),
        (KIOSK, "identify", {}, "a\nb", "who asks"),
    ],
)
def test_what_cannot_be_asked_is_refused(database, kiosk, name, arguments, by, why) -> None:
    with pytest.raises(LandfallError, match=why):
        commands.issue(database, kiosk, name, arguments, by, NOW)
    assert due(database) == []


def test_a_revoked_kiosk_is_asked_nothing(database) -> None:
    registry.revoke_kiosk(database, KIOSK, NOW)
    with pytest.raises(LandfallError, match="not registered"):
        commands.issue(database, KIOSK, "identify", {}, "officer", NOW)


def examiner(key=KEY):
    from central.verify import Examiner

    return Examiner(lambda kiosk: Verifier([key]) if kiosk == KIOSK else None, None)  # type: ignore[arg-type]


def test_an_answer_is_taken_if_the_kiosk_signed_it_as_one(database) -> None:
    given = reply("0190a5b2-0000-7000-8000-000000000001")
    topic = parse_topic(f"landfall/v1/{KIOSK}/reply/{given.id}")
    assert examiner().read_answer(topic, Signer(KEY).sign(encode(given), REPLY_TYP).encode()) == given
    for key, typ in ((KEY, REPORTED_TYP), (KEY, COMMAND_TYP), (CENTRE, REPLY_TYP)):
        with pytest.raises(SealError):
            examiner().read_answer(topic, Signer(key).sign(encode(given), typ).encode())
    for other in (msgspec.structs.replace(given, kiosk=OTHER), msgspec.structs.replace(given, id="x")):
        with pytest.raises(ContractError):
            examiner().read_answer(topic, Signer(KEY).sign(encode(other), REPLY_TYP).encode())
    with pytest.raises(ContractError, match="larger"):
        examiner().read_answer(topic, b"x" * 200_000)


@pytest.mark.parametrize("id", ["\0", "a\nb", "x" * 200], ids=["NUL", "line feed", "long"])
def test_a_report_with_an_id_that_no_database_holds_is_refused(id) -> None:
    given = Reported(KIOSK, "2026-03-01T12:00:01.000Z", "1.0", "0" * 64, "settled", id, 7)
    topic = parse_topic(f"landfall/v1/{KIOSK}/reported")
    with pytest.raises(ContractError, match="not printable"):
        examiner().read_answer(topic, Signer(KEY).sign(encode(given), REPORTED_TYP).encode())


def test_the_command_line_writes_commands_down_and_shows_what_came_of_them(tmp_path, capsys) -> None:
    toml = tmp_path / "central.toml"
    toml.write_text('[database]\nurl = "sqlite:///centre.db"\n')
    from central import database as db

    engine = db.connect(f"sqlite:///{tmp_path}/centre.db")
    db.upgrade(engine)
    registry.add_kiosk(engine, KIOSK, KEY, NOW)
    words = ["--config", str(toml), "--site", "utopia", "--kiosk", "lane-1"]
    desired = tmp_path / "desired.toml"
    desired.write_text("[uplink]\nport = 8884\n")
    given = [["identify", "--seconds", "3"], ["diagnostics"], ["restart"], ["settings", str(desired)]]
    given += [["rewind", "--stream", "crossing", "--from", "7"], ["renew"]]
    for verb, *more in given:
        assert main(["command", verb, *words, *more]) == 0
    ids = capsys.readouterr().out.split()
    assert main(["command", "list", "--config", str(toml)]) == 0
    assert capsys.readouterr().out.count("waits for its answer") == 6
    commands.take_reply(engine, reply(ids[1], content={"log": ["fine"]}), NOW)
    assert main(["command", "show", ids[1], "--config", str(toml)]) == 0
    out = capsys.readouterr().out
    assert "diagnostics for utopia/lane-1, asked by " in out and '"fine"' in out
    assert main(["command", "show", "nothing", "--config", str(toml)]) == 1
    assert main(["command", "settings", str(tmp_path / "none.toml"), *words]) == 2
    desired.write_text("nonsense")
    assert main(["command", "settings", str(desired), *words]) == 2
    engine.dispose()


def test_a_whole_fleet_is_asked_to_renew_one_after_the_other(tmp_path, capsys) -> None:
    toml = tmp_path / "central.toml"
    toml.write_text('[database]\nurl = "sqlite:///centre.db"\n')
    from central import database as db

    engine = db.connect(f"sqlite:///{tmp_path}/centre.db")
    db.upgrade(engine)
    kiosks = [f"utopia/lane-{number}" for number in range(1, 5)]
    for kiosk in (*kiosks, "utopia/stolen"):
        registry.add_kiosk(engine, kiosk, throwaway_key("Ed25519"), NOW)
    registry.revoke_kiosk(engine, "utopia/stolen", NOW)
    words = ["command", "renew", "--config", str(toml)]
    assert main([*words, "--everywhere", "--within-min", "2"]) == 0
    assert "4 kiosks are asked" in capsys.readouterr().out
    asked = {one.kiosk: one.arguments for one in commands.list_commands(engine)}
    assert asked == {kiosk: {"after_s": 30.0 * number} for number, kiosk in enumerate(kiosks)}
    for wrong in (
        [],
        ["--everywhere", "--site", "utopia", "--kiosk", "lane-1"],
        ["--everywhere", "--within-min", "61"],
    ):
        assert main([*words, *wrong]) == 2
    engine.dispose()
