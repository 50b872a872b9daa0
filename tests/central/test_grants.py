"""On PostgreSQL the console and the watcher do all of their work with roles that cannot read a traveller."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import Engine, insert, make_url, text
from sqlalchemy.exc import DBAPIError

from central import commands, database, incidents, kiosk_settings
from central.alerts import outbox, rules
from central.alerts.bell import Bell
from central.alerts.tables import alert
from central.backup import without_password
from central.cli import main
from central.config import FleetSettings
from central.console.tables import account
from central.database import rfc3339
from central.fleet import centre, history, lease, state, view
from central.fleet.diagnosis import finding
from central.fleet.words import Code
from central.grants import Program
from central.incidents import Incident, Kind
from central.registry import Registry
from edge.wire.commands import Reported
from tests.central.console.harness import PASSWORD, START, ConsoleUnderTest
from tests.central.fleet.fleet import NOW, put, register, told, watch

KIOSK = "utopia/lane-1"
pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


@pytest.fixture
def as_role(engine, capsys):
    """Return the database as a program's role sees it, once what `grants` prints was run by the owner."""
    made: list[tuple[str, Engine]] = []

    def connect(program: Program) -> Engine:
        role = f"landfall-{program}-{engine.url.database}"
        assert main(["database", "grants", program, "--role", role]) == 0
        printed = capsys.readouterr().out
        with engine.begin() as connection:
            connection.execute(text(f'CREATE ROLE "{role}" LOGIN'))
        for _ in range(2):  # it may be done again
            words = ["psql", "-v", "ON_ERROR_STOP=1", "-1", "-f", "-", without_password(engine.url)]
            subprocess.run(words, input=printed, text=True, check=True, stdout=subprocess.DEVNULL)
        made.append((role, database.connect(make_url(str(engine.url)).set(username=role).render_as_string())))
        return made[-1][1]

    yield connect
    for role, connected in made:
        connected.dispose()
        with engine.begin() as connection:
            connection.execute(text(f'DROP OWNED BY "{role}"'))
            connection.execute(text(f'DROP ROLE "{role}"'))


def refused(role: Engine, statement: str) -> str:
    """Return why a statement is refused; a name of PostgreSQL's errors."""
    with pytest.raises(DBAPIError) as error, database.writing(role) as connection:
        connection.execute(text(statement))
    return type(error.value.orig).__name__


SECRET = (
    "SELECT plaintext FROM record",
    "SELECT letter FROM record",
    "SELECT * FROM record",
    "SELECT count(*) FROM rejected",
    "SELECT id FROM crossing",
    "SELECT answer FROM invitation",
    "COPY record TO STDOUT",
)
OWNED = (
    "DELETE FROM record",
    "INSERT INTO kiosk_key VALUES ('a/b', 'k', '{}', '', NULL)",
    "UPDATE kiosk_key SET revoked_at = NULL",
    "UPDATE centre SET value = ''",
    "TRUNCATE record",
    "DROP TABLE record",
    "CREATE TABLE mine (x int)",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
)


@pytest.mark.parametrize("program", Program)
def test_neither_role_reads_a_traveller_or_changes_what_collectors_own(as_role, program):
    role = as_role(program)
    assert {statement: refused(role, statement) for statement in SECRET + OWNED} == dict.fromkeys(
        SECRET + OWNED, "InsufficientPrivilege"
    )


def test_the_watcher_does_all_of_its_work(engine, as_role):
    role = as_role(Program.WATCH)
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


@pytest.fixture
def console(engine, as_role):
    """Give a console that knows the database by its role alone, and a kiosk of which everything is known."""
    role = as_role(Program.CONSOLE)
    database.upgrade(role)
    register(engine, KIOSK)
    watch(engine, START)
    put(engine, told(KIOSK, START))
    kiosk_settings.keep(engine, Reported(KIOSK, rfc3339(START), "0.1.0", "0" * 64, "local"), START)
    row = {"code": str(Code.OFFLINE), "scope": KIOSK, "subject": "", "severity": "critical", "what": "", "remedy": ""}
    with database.writing(engine) as connection:
        incidents.report(connection, [Incident(Kind.GAP, KIOSK, "crossing", "e", 7)], rfc3339(START))
        connection.execute(insert(alert).values(row | {"since": rfc3339(START), "opened_at": rfc3339(START)}))
    return ConsoleUnderTest(role, owner=engine)


PAGES = ("/", "/sites", "/alerts", "/account", f"/kiosk/{KIOSK}", f"/kiosk/{KIOSK}/history", "/audit")


def test_the_console_shows_every_page(console):
    auditor = console.browser("auditor")
    assert {page: auditor.get(page).status_code for page in PAGES} == dict.fromkeys(PAGES, 200)


def test_the_console_takes_every_form(console):
    technician = console.browser("technician")
    forms = {
        f"/kiosk/{KIOSK}/command": {"name": "settings", "settings": "", "trial_s": "60"},
        "/alerts/acknowledge": {"id": "1"},
        "/alerts/silence": {"code": "offline", "scope": KIOSK, "hours": "8"},
        "/alerts/lift": {"id": "1"},
    }
    assert {path: technician.post(path, fields).status_code for path, fields in forms.items()} == dict.fromkeys(
        forms, 303
    )
    (issued,) = commands.list_commands(console.engine)
    assert technician.get(f"/kiosk/{KIOSK}/command/{issued.id}").status_code == 200
    secret = pyotp.random_base32()
    code = pyotp.TOTP(secret).at(START)
    asked = technician.post("/account/totp/confirm", {"password": PASSWORD, "secret": secret, "code": code})
    assert asked.status_code == 303
    new = {
        "password": PASSWORD,
        "new_password": "walnut tram lighthouse",
        "new_password_again": "walnut tram lighthouse",
    }
    assert "The password is new" in technician.post("/account/password", new).text
    console.clock.pass_time(timedelta(minutes=2).total_seconds())
    assert technician.get("/").status_code == 200  # which writes that the session is used
    assert technician.post("/sign-out", {}).status_code == 303
    assert console.browser().sign_in("operator", "a wrong password").status_code == 401


def test_who_takes_over_the_console_cannot_alter_the_audit_log_or_make_accounts(engine, console):
    console.browser("auditor")
    for statement in (
        "UPDATE audit_entry SET actor = 'nobody'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "INSERT INTO account SELECT 'mine', role, password_hash, NULL, 0, '', NULL FROM account LIMIT 1",
        "UPDATE account SET role = 'technician'",
        "UPDATE account SET disabled_at = NULL",
        "UPDATE command SET result = 'done'",
        "UPDATE alert SET closed_at = ''",
        "DELETE FROM incident",
    ):
        assert refused(console.engine, statement) == "InsufficientPrivilege", statement


def test_a_program_whose_role_may_not_says_what_to_do(engine, as_role, tmp_path, capsys, monkeypatch):
    role = as_role(Program.CONSOLE)
    url = role.url.set(drivername="postgresql").render_as_string()
    (tmp_path / "central.toml").write_text(f'[database]\nurl = "{url}"\n')
    monkeypatch.setattr("sys.stdin.readline", lambda: PASSWORD)
    asked = [
        "account",
        "add",
        "mine",
        "--role",
        "auditor",
        "--password-stdin",
        "--config",
        str(tmp_path / "central.toml"),
    ]
    assert main(asked) == 1
    assert "see `landfall-central database grants`" in capsys.readouterr().err
    with database.reading(engine) as connection:
        assert connection.execute(account.select()).all() == []
