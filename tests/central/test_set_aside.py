"""Letters that were set aside sealed, and their key comes back."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select, update

from central import database, registry
from central.cli import main
from central.set_aside import Retried, Sealed, retry, sealed_letters
from central.tables import crossing, record
from edge.seal import Opener, load_private_key
from provisioning.authority import make_centre_keys
from tests.central.centre import Centre
from tests.harness.kiosk_records import CentreKeys, FakeKiosk, new_letter_key, shared_centre_keys

NOT_KNOWN = "sealed to a key that is not known here"


def nothing_shown(done: int, total: int) -> None:
    """Take progress that nobody looks at."""


@pytest.fixture
def retired() -> CentreKeys:
    """Give the centre's keys of before: the same receipt key, another opening key."""
    return CentreKeys(receipt=shared_centre_keys().receipt, letters=new_letter_key())


@pytest.fixture
def centre(engine) -> Centre:
    return Centre(engine)


@pytest.fixture
def kiosk(centre, retired) -> FakeKiosk:
    """Give a kiosk that seals to the retired key, and whose four records were taken."""
    kiosk = FakeKiosk(centre=retired)
    centre.register(kiosk)
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(3))
    return kiosk


def tried(centre: Centre, *keys: CentreKeys) -> Retried:
    """Try again with the opening keys of `keys`."""
    opener = Opener([one.letters for one in keys])
    return retry(centre.engine, opener, lambda: centre.store, centre.now, nothing_shown)


def counted(centre: Centre) -> int:
    with database.reading(centre.engine) as connection:
        return connection.scalar(select(func.count()).select_from(crossing)) or 0


def plaintexts(centre: Centre) -> list[bytes | None]:
    with database.reading(centre.engine) as connection:
        return list(connection.scalars(select(record.c.plaintext).order_by(record.c.sequence)))


def test_letters_are_opened_and_counted_once_their_key_is_back(centre, kiosk, retired):
    held = centre.ends(kiosk)
    assert counted(centre) == 0
    assert tried(centre, retired) == Retried(opened=4)
    assert [state for _, state, _ in centre.states(kiosk)] == ["opened"] * 4
    assert counted(centre) == 3
    assert None not in plaintexts(centre)
    assert centre.ends(kiosk) == held, "what is held was held before"
    assert centre.incidents() == [] and len(centre.incidents(closed=True)) == 4
    assert sealed_letters(centre.engine) == []


def test_trying_again_changes_nothing(centre, kiosk, retired):
    tried(centre, retired)
    before = plaintexts(centre)
    assert tried(centre, retired) == Retried()
    assert (counted(centre), plaintexts(centre)) == (3, before)


def test_without_the_key_letters_stay_as_they_are_and_are_counted(centre, kiosk, retired):
    assert tried(centre, shared_centre_keys()).left == {NOT_KNOWN: 4}
    assert tried(centre, shared_centre_keys(), retired) == Retried(opened=4), "what was tried in vain opens later"


def test_the_list_names_kiosk_and_key(centre, kiosk, retired):
    at = database.rfc3339(centre.now)
    found = sealed_letters(centre.engine)
    assert found == [Sealed(kiosk.name, NOT_KNOWN, retired.letters.thumbprint(), 4, at, at)]


def test_letters_of_another_lost_key_wait_for_theirs(centre, kiosk, retired):
    other = FakeKiosk("utopia/lane-2", centre=CentreKeys())
    centre.register(other)
    centre.receive(other, other.start_epoch(), *other.crossings(2))
    assert tried(centre, retired) == Retried(opened=4, left={NOT_KNOWN: 3})
    assert [(one.kiosk, one.count) for one in sealed_letters(centre.engine)] == [(other.name, 3)]


def test_what_a_kiosk_signed_before_it_was_revoked_is_opened_too(centre, kiosk, retired):
    registry.revoke_kiosk(centre.engine, kiosk.name, centre.now)
    assert tried(centre, retired) == Retried(opened=4)


def test_somebody_who_has_settled_the_incident_does_not_hide_the_letter(centre, kiosk, retired):
    from central.incidents import Kind, settle

    assert settle(centre.engine, kiosk.name, Kind.QUARANTINE, database.rfc3339(centre.now)) == 4
    assert tried(centre, retired) == Retried(opened=4)


def test_a_letter_that_was_altered_in_the_database_is_not_believed(centre, kiosk, retired):
    with database.writing(centre.engine) as connection:
        foreign = FakeKiosk(centre=retired)
        letter = foreign.start_epoch().data
        connection.execute(update(record).where(record.c.sequence == 2).values(letter=letter))
    assert tried(centre, retired) == Retried(opened=3, left={"letter is not the one that was signed": 1})
    assert [state for _, state, _ in centre.states(kiosk)] == ["opened", "quarantine", "opened", "opened"]


def test_letters_of_both_sides_of_a_fork_are_opened(centre, kiosk, retired):
    twin = kiosk.clone()
    centre.receive(kiosk, *kiosk.crossings(2))
    centre.receive(twin, *twin.crossings(2))
    assert tried(centre, retired) == Retried(opened=8)
    assert counted(centre) == 7


def test_an_interrupted_try_goes_on_where_it_was(centre, kiosk, retired, monkeypatch):
    monkeypatch.setattr("central.set_aside.CHUNK", 2)
    seen = []

    def interrupted(done: int, total: int) -> None:
        seen.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retry(centre.engine, Opener([retired.letters]), lambda: centre.store, centre.now, interrupted)
    assert seen == [(2, 4)]
    assert [state for _, state, _ in centre.states(kiosk)] == ["opened", "opened", "quarantine", "quarantine"]
    assert tried(centre, retired) == Retried(opened=2)
    assert counted(centre) == 3


def test_where_nothing_is_set_aside_no_new_life_of_the_database_begins(engine):
    def never() -> None:
        raise AssertionError("there is nothing to store")

    assert retry(engine, Opener([]), never, Centre(engine).now, nothing_shown) == Retried()


@pytest.fixture
def deployment(tmp_path):
    """Give the settings of a centre whose retired opening key lies elsewhere, with letters sealed to it."""
    for name in ("keys", "safe"):
        make_centre_keys(tmp_path / name)
    settings = tmp_path / "central.toml"
    settings.write_text('[keys]\nreceipt_key = "keys/receipt.key.json"\nopening_keys = ["keys/opening.key.json"]\n')
    engine = database.connect(f"sqlite:///{tmp_path / 'central.db'}")
    database.upgrade(engine)
    centre = Centre(engine)
    kiosk = FakeKiosk(centre=CentreKeys(letters=load_private_key(tmp_path / "safe/opening.key.json")))
    centre.register(kiosk)
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(3))
    engine.dispose()
    return settings


def test_the_verbs_say_which_key_is_missing_and_open_with_it(deployment, capsys):
    config = ("--config", str(deployment))
    retired = deployment.parent / "safe/opening.key.json"
    assert main(["set-aside", "list", *config]) == 0
    out = capsys.readouterr().out
    assert "utopia/lane-1: 4 letters" in out and load_private_key(retired).thumbprint() in out
    assert main(["set-aside", "retry", *config]) == 1
    assert f"0 letters opened, 4 left\n! 4: {NOT_KNOWN}" in capsys.readouterr().out
    assert main(["set-aside", "retry", *config, "--opening-key", str(retired), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"opened": 4, "left": {}}
    assert main(["set-aside", "list", *config]) == 0
    assert capsys.readouterr().out == "Nothing is set aside.\n"


def test_a_public_key_is_refused_before_anything_is_tried(deployment, capsys):
    public = deployment.parent / "safe/opening.pub.json"
    public.chmod(0o600)
    assert main(["set-aside", "retry", "--config", str(deployment), "--opening-key", str(public)]) == 2
    assert "--opening-key must name a private key" in capsys.readouterr().err
