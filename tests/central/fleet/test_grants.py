"""The role that docs/operations.md gives the watcher on PostgreSQL can do its work, and cannot read a traveller."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import ProgrammingError

from central import database, incidents
from central.alerts import outbox, rules
from central.alerts.bell import Bell
from central.config import FleetSettings
from central.database import rfc3339
from central.fleet import centre, history, lease, state, view
from central.fleet.diagnosis import finding
from central.fleet.words import Code
from central.incidents import Incident, Kind
from central.registry import Registry
from central.tables import record
from tests.central.fleet.fleet import NOW, register, told

DOCUMENT = Path(__file__).parents[3] / "docs" / "operations.md"
KIOSK = "utopia/lane-1"


@pytest.fixture
def role(engine):
    """Give the database as the watcher's role sees it."""
    grants = re.findall(r"GRANT [^;]+ TO landfall_watch;", DOCUMENT.read_text(encoding="utf-8"))
    assert len(grants) >= 3
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE landfall_watch LOGIN"))
        for grant in grants:
            connection.execute(text(grant))
    made = database.connect(make_url(str(engine.url)).set(username="landfall_watch").render_as_string())
    yield made
    made.dispose()
    with engine.begin() as connection:
        connection.execute(text("DROP OWNED BY landfall_watch"))
        connection.execute(text("DROP ROLE landfall_watch"))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_role_does_all_that_a_watcher_does_and_reads_no_plaintext(engine, role):
    register(engine, KIOSK)
    settings, bell = FleetSettings(), Bell(rules.load(None), ["mail"], keep_days=1)
    database.upgrade(role)
    assert Registry(role, lambda: 0.0).verifier_of(KIOSK) is not None
    with database.writing(role) as connection:
        assert lease.take(connection, centre.WATCHER, "a", NOW, 15.0, NOW)
        state.put(connection, [told(KIOSK)])
        incidents.report(connection, [Incident(Kind.FLOOD, KIOSK)], rfc3339(NOW))
        row = dict.fromkeys(map(str, history.Metric)) | {"kiosk": KIOSK, "resolution_s": 0, "at_s": 0}
        history.put(connection, [row])
        history.condense(connection, [KIOSK], NOW, settings)
        bell.evaluate(connection, {KIOSK: [finding(Code.TAMPER)]}, (), NOW)
        outbox.sent(connection, outbox.due(connection, "mail", NOW), NOW)
        bell.forget(connection, NOW)
        assert history.latencies(connection, NOW) == {}
        lease.give_back(connection, centre.WATCHER, "a", NOW)
    assert [one.kiosk for one in view.fleet(role, NOW, settings).kiosks] == [KIOSK]
    assert view.true_time(role, KIOSK, "b", 0.0) is None
    with pytest.raises(ProgrammingError), database.reading(role) as connection:
        connection.execute(select(record.c.plaintext))
