"""What the office types to rotate the centre's keys, and what the screen says."""

import pytest

from central import registry, uptake
from central.clock import utc_now
from edge.wire.messages import Status
from provisioning.authority import make_centre_keys
from provisioning.cli import main
from provisioning.rotation import CentreKeyFiles, Kind
from tests.harness.kiosk_records import AT, new_signing_key
from tests.harness.office import new_engine

KIOSK = "dm-roseau/ferry-01"


@pytest.fixture
def engine(tmp_path):
    engine = new_engine(tmp_path)
    registry.add_kiosk(engine, KIOSK, new_signing_key(), utc_now())
    yield engine
    engine.dispose()


@pytest.fixture
def type_verb(tmp_path, engine, capsys):
    """Return what types a verb of `centre` and gives its status and the lines on the screen."""
    make_centre_keys(tmp_path / "centre")
    settings = tmp_path / "central.toml"
    settings.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/central.db"\n')

    def run(verb, *words):
        config = ["--config", str(settings)] if verb in ("list", "retire") else []
        status = main(["centre", verb, *words, str(tmp_path / "centre"), *config])
        shown = capsys.readouterr()
        assert [line for line in shown.out.splitlines() if len(line) > 80 and str(tmp_path) not in line] == []
        return status, shown.out + shown.err

    return run


def takes(engine, files):
    """Let the kiosk start with what it is told now."""
    receipts = tuple(files.kids(Kind.RECEIPT))
    status = Status(KIOSK, "online", "c", "b", "1", AT, {}, files.published_opening_kid(), receipts)
    uptake.note_birth(engine, status, utc_now())


@pytest.mark.parametrize("kind", ["receipt", "opening"])
def test_a_key_is_retired_once_the_kiosk_that_is_named_has_the_new_one(type_verb, engine, tmp_path, kind):
    files = CentreKeyFiles(tmp_path / "centre")
    takes(engine, files)
    assert type_verb("rotate", kind)[0] == 0
    if kind == "opening":
        assert "still told to seal to this key" in type_verb("retire", kind)[1]
        assert type_verb("publish")[0] == 0
    status, shown = type_verb("retire", kind)
    assert status == 1
    assert KIOSK in shown
    assert KIOSK in type_verb("list")[1]
    assert len(files.kids(Kind(kind))) == 2
    takes(engine, files)
    assert KIOSK not in type_verb("list")[1]
    status, shown = type_verb("retire", kind)
    assert status == 0
    assert "retired" in shown
    assert len(files.kids(Kind(kind))) == 1


def test_a_compromised_receipt_key_waits_for_nobody(type_verb):
    type_verb("rotate", "receipt")
    status, shown = type_verb("retire", "receipt", "--compromised")
    assert status == 0
    assert "goes on believing the old key" in shown


def test_an_opening_key_is_not_retired_at_once_since_that_would_hurt_the_centre_alone(type_verb):
    type_verb("rotate", "opening")
    status, shown = type_verb("retire", "opening", "--compromised")
    assert status == 2
    assert "rotate and publish at once" in " ".join(shown.split())
