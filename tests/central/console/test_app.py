"""The console as a browser and an attacker see it: headers, forms, sessions, roles, limits."""

from __future__ import annotations

import re

import pyotp
import pytest
from sqlalchemy import text

from central import database
from central.config import ConsoleSettings
from central.console import accounts, audit
from central.console.accounts import By
from central.console.familiar import MOST, marks
from central.console.tables import familiar
from tests.central.console.harness import ORIGIN, PASSWORD, START, ConsoleUnderTest
from tests.central.fleet.fleet import register


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(console):
    browser = console.browser()
    asked = browser.get("/account?x=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Faccount%3Fx%3D1")
    assert 'name="next" value="/account?x=1"' in browser.get(asked.headers["location"]).text
    entered = browser.post("/sign-in", {"name": "operator", "password": PASSWORD, "next": "/account?x=1"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/account?x=1")


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/\nx", ""])
def test_the_sign_in_leads_to_no_other_site(console, elsewhere):
    browser = console.browser()
    entered = browser.post("/sign-in", {"name": "operator", "password": PASSWORD, "next": elsewhere})
    assert entered.headers["location"] == "/"


def test_a_session_id_that_was_planted_is_worth_nothing(console):
    browser = console.browser()
    browser.client.cookies.set("landfall", "planted", domain="127.0.0.1")
    assert browser.sign_in("operator").status_code == 303
    assert browser.session != "planted"
    victim_of_the_planter = console.browser()
    victim_of_the_planter.client.cookies.set("landfall", "planted", domain="127.0.0.1")
    assert victim_of_the_planter.get("/account").status_code == 303


def test_signing_in_again_gives_another_session_id(console):
    browser = console.browser("operator")
    first = browser.session
    browser.post("/sign-out", {})
    browser.is_in = False
    browser.sign_in("operator")
    assert browser.session != first


def test_a_session_id_from_before_the_sign_out_is_worth_nothing(console):
    browser = console.browser("operator")
    stolen = browser.session
    assert browser.post("/sign-out", {}).headers["location"] == "/sign-in"
    thief = console.browser()
    thief.client.cookies.set("landfall", stolen, domain="127.0.0.1")
    assert thief.get("/account").status_code == 303


def test_every_answer_carries_the_security_headers(console):
    browser = console.browser("operator")
    for path in ("/sign-in", "/account", "/audit", "/nowhere", "/static/console.css", "/static/nothing"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "strict-transport-security" not in headers
        assert "server" not in headers


def test_pages_stay_out_of_every_cache_and_static_files_do_not(console):
    browser = console.browser("operator")
    assert browser.get("/account").headers["cache-control"] == "no-store"
    style = re.search(r'href="(/static/console\.css\?[0-9a-f]{12})"', browser.get("/account").text).group(1)
    assert browser.get(style).headers["cache-control"].startswith("public, max-age=")


def test_no_page_has_script_or_style_in_it(console):
    browser = console.browser("auditor")
    register(console.engine, "utopia/lane-1")
    for path in ("/sign-in", "/", "/sites", "/kiosk/utopia/lane-1", "/alerts", "/account", "/audit", "/nowhere"):
        page = browser.get(path).text
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", page)


def test_over_tls_the_cookie_belongs_to_this_host_alone_and_browsers_are_told_to_stay(sqlite, tmp_path):
    settings = ConsoleSettings(host="192.0.2.1", origin="https://console.example", certificate=tmp_path, key=tmp_path)
    browser = ConsoleUnderTest(sqlite, settings).browser()
    answer = browser.sign_in("operator")
    session, known = answer.headers.get_list("set-cookie")
    assert re.fullmatch(r"__Host-landfall=[\w-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", session)
    assert re.fullmatch(
        r"__Host-landfall-browser=[\w-]{43}; HttpOnly; Max-Age=7776000; Path=/; SameSite=lax; Secure", known
    )
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_over_loopback_the_cookie_is_kept_from_scripts_and_other_sites_forms(console):
    answer = console.browser().sign_in("operator")
    session = answer.headers.get_list("set-cookie")[0]
    assert re.fullmatch(r"landfall=[\w-]{43}; HttpOnly; Path=/; SameSite=lax", session)


def test_another_host_name_is_refused(console):
    for host in ("evil.example", "127.0.0.1", "127.0.0.1:80", "evil.example:8470", ""):
        assert console.browser().get("/sign-in", host=host).status_code == 421
    assert console.browser().get("/sign-in", host="localhost:8470").status_code == 200


FORMS = ["/sign-in", "/sign-out", "/theme", "/account/password", "/account/totp", "/account/totp/confirm"]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_changes_nothing(console, path):
    browser = console.browser("operator")
    other = console.browser("auditor")
    for token in ("", "x", "é", other.token("/account")):
        assert browser.post(path, {"password": PASSWORD}, token=token).status_code == 403
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_another_site_changes_nothing(console, path):
    browser = console.browser("operator")
    for origin in ("https://evil.example", "null", "", "http://127.0.0.1:9999", ORIGIN + ".evil.example"):
        assert browser.post(path, {"password": PASSWORD}, origin=origin).status_code == 403


@pytest.mark.parametrize("path", [path for path in FORMS if path != "/sign-in"])
def test_nothing_is_changed_by_a_get(console, path):
    assert console.browser("operator").get(path).status_code == 405


def test_a_form_that_is_not_one_of_ours_is_refused(console):
    browser = console.browser("operator")
    token = browser.token("/account")
    plain = browser.client.post("/theme", content=b"{}", headers={"origin": ORIGIN, "content-type": "application/json"})
    assert plain.status_code == 415
    many = {f"f{n}": "x" for n in range(100)}
    assert browser.post("/theme", many, token=token).status_code == 400


def test_a_request_that_is_too_large_is_refused_with_and_without_its_length(console):
    browser = console.browser("operator")
    large = "x" * 1_000_000
    assert browser.post("/theme", {"theme": large}).status_code == 413

    def piecewise():
        for _ in range(100):
            yield b"theme=" + b"x" * 10_000

    headers = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    assert browser.client.post("/theme", content=piecewise(), headers=headers).status_code == 413


def test_an_address_that_asks_too_often_is_told_to_wait(sqlite):
    browser = ConsoleUnderTest(sqlite, burst=5).browser()
    answers = [browser.get("/sign-in") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert browser.get("/static/console.css").status_code == 200


def test_guessing_is_slowed_down_and_an_unknown_name_looks_the_same(console):
    known, unknown = console.browser(address="192.0.2.1"), console.browser(address="192.0.2.2")
    answers = {}
    for browser, name in ((known, "operator"), (unknown, "nobody")):
        answers[name] = [browser.sign_in(name, "lighthouse walnut bus") for _ in range(4)]
    assert [answer.status_code for answer in answers["operator"]] == [401, 401, 401, 429]

    def without_token(text):
        return re.sub(r"[0-9a-f]{64}", "", text)

    pairs = zip(answers["operator"], answers["nobody"], strict=True)
    assert all(without_token(one.text) == without_token(other.text) for one, other in pairs)
    assert known.sign_in("operator").status_code == 429
    console.clock.pass_time(3)
    assert known.sign_in("operator").status_code == 303


def guess_from_everywhere(console, name, times=40):
    """Have strangers guess at an account until none of them is looked at any more."""
    for n in range(times):
        answer = console.browser(address=f"203.0.113.{n}").sign_in(name, "lighthouse walnut bus")
    assert answer.status_code == 429


def test_strangers_who_guess_lock_nobody_out_of_the_usual_browser_or_address(console):
    usual = console.browser("operator", address="192.0.2.1")
    usual.post("/sign-out", {})
    guess_from_everywhere(console, "operator")
    assert console.browser(address="192.0.2.1").sign_in("operator").status_code == 303
    on_the_way = console.browser(address="198.51.100.9")
    for name in ("landfall", "landfall-browser"):
        on_the_way.client.cookies.set(name, usual.client.cookies.get(name))
    assert on_the_way.sign_in("operator").status_code == 303
    assert console.browser(address="198.51.100.10").sign_in("operator").status_code == 429
    assert usual.sign_in("technician").status_code == 303


def test_who_guesses_at_the_usual_address_waits_there_too(console):
    console.browser("operator", address="192.0.2.1")
    guesser = console.browser(address="192.0.2.1")
    answers = [guesser.sign_in("operator", "lighthouse walnut bus").status_code for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    assert console.browser(address="192.0.2.1").sign_in("technician").status_code == 303


def test_a_browsers_token_is_kept_as_a_hash_and_one_that_was_made_up_is_worth_nothing(console):
    browser = console.browser("operator", address="192.0.2.1")
    token = browser.client.cookies.get("landfall-browser")
    with database.reading(console.engine) as connection:
        assert token not in str(connection.execute(familiar.select()).all())
    guess_from_everywhere(console, "operator")
    planted = console.browser(address="198.51.100.10")
    planted.client.cookies.set("landfall-browser", "x" * 43)
    assert planted.sign_in("operator").status_code == 429
    console.clock.pass_time(1000)
    assert planted.sign_in("operator").status_code == 303
    assert planted.client.cookies.get("landfall-browser", domain="127.0.0.1") not in ("x" * 43, token)


def test_what_was_not_used_for_long_is_not_familiar_any_more(console):
    console.browser("operator", address="192.0.2.1")
    console.clock.pass_time(91 * 86_400)
    guess_from_everywhere(console, "operator")
    assert console.browser(address="192.0.2.1").sign_in("operator").status_code == 429


def test_an_account_remembers_the_newest_places_alone(console):
    for n in range(MOST + 5):
        console.clock.pass_time(60)
        console.browser("operator", address=f"198.51.100.{n}")
    with database.reading(console.engine) as connection:
        assert len(marks(connection, "operator")) == MOST


def test_strangers_cannot_keep_somebody_who_is_signed_in_from_changing_the_password(console):
    browser = console.browser("operator")
    guess_from_everywhere(console, "operator")
    new = {"new_password": "walnut tram lighthouse", "new_password_again": "walnut tram lighthouse"}
    assert "The password is new" in browser.post("/account/password", {"password": PASSWORD} | new).text


def test_what_was_typed_is_not_shown_again(console):
    answer = console.browser().sign_in("<script>alert(1)</script>", "secret words that nobody sees")
    assert "alert(1)" not in answer.text and "secret words" not in answer.text


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("operator", 403), ("technician", 403)])
def test_the_audit_log_is_for_auditors(console, role, status):
    answer = console.browser(role).get("/audit")
    assert answer.status_code == status
    assert ("is for accounts with the role auditor" in answer.text) == (status == 403)


def test_the_audit_log_shows_text_and_never_markup_and_goes_back_page_by_page(console):
    with database.writing(console.engine) as connection:
        for n in range(120):
            audit.append(connection, audit.Deed("eve", "note", f"<img src=x onerror=alert({n})>"), START)
    browser = console.browser("auditor")
    page = browser.get("/audit").text
    assert "&lt;img src=x onerror=alert(119)&gt;" in page and "<img" not in page
    older = re.search(r'href="(/audit\?before=\d+)">Older', page).group(1)
    assert "account added" in browser.get(older).text
    for hostile in ("-1", "x", "9" * 400, "1;DROP TABLE audit_entry", "١"):
        assert browser.get(f"/audit?before={hostile}").status_code == 200


def test_a_password_is_changed_by_who_knows_the_old_one(console):
    browser, elsewhere = console.browser("operator"), console.browser("operator")
    new = {"new_password": "walnut tram lighthouse", "new_password_again": "walnut tram lighthouse"}
    wrong = browser.post("/account/password", {"password": "guessed words do not fit"} | new)
    assert "Your present password is not right" in wrong.text
    differing = browser.post("/account/password", {"password": PASSWORD} | new | {"new_password_again": "x"})
    assert "differ" in differing.text
    short = browser.post("/account/password", {"password": PASSWORD, "new_password": "x", "new_password_again": "x"})
    assert "too short" in short.text
    assert "The password is new" in browser.post("/account/password", {"password": PASSWORD} | new).text
    assert (browser.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 303)


def test_one_time_codes_begin_with_a_code_of_the_authenticator(console):
    browser = console.browser("operator")
    assert "Your present password is not right" in browser.post("/account/totp", {"password": "x"}).text
    offered = browser.post("/account/totp", {"password": PASSWORD})
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', offered.text).group(1)
    assert "<svg" in offered.text
    confirm = {"secret": secret, "password": PASSWORD}
    assert "The code is not right" in browser.post("/account/totp/confirm", confirm | {"code": "000000"}).text
    code = pyotp.TOTP(secret).at(console.clock.now)
    assert browser.post("/account/totp/confirm", confirm | {"code": code}).status_code == 303
    assert "takes a one-time code" in browser.get("/account?done=totp").text
    other = console.browser()
    assert other.sign_in("operator", code=code).status_code == 401
    console.clock.pass_time(30)
    assert other.sign_in("operator", code=pyotp.TOTP(secret).at(console.clock.now)).status_code == 303


@pytest.mark.parametrize("secret", ["", "<script>", "A" * 31, "A" * 100_0, "a" * 32])
def test_a_secret_that_was_not_made_here_is_not_taken(console, secret):
    answer = console.browser("operator").post(
        "/account/totp/confirm", {"secret": secret, "password": PASSWORD, "code": "000000"}
    )
    assert answer.status_code == 400 and "<script>" not in answer.text


def test_the_theme_is_kept_in_a_cookie_and_works_without_an_account(console):
    browser = console.browser()
    assert browser.post("/theme", {"theme": "dark", "here": "/sign-in"}).headers["location"] == "/sign-in"
    assert '<html lang="en" data-theme="dark">' in browser.get("/sign-in").text
    browser.post("/theme", {"theme": '"><script>', "here": "//evil.example"})
    assert '<html lang="en">' in browser.get("/sign-in").text


def test_a_page_that_is_not_there_says_what_to_do(console):
    answer = console.browser("operator").get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text and "Check the address" in answer.text


def test_a_database_that_is_gone_is_said_on_the_page_without_details(console):
    browser = console.browser("operator")
    with database.writing(console.engine) as connection:
        connection.execute(text("DROP TABLE session"))
    answer = browser.get("/account")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text and "SELECT" not in answer.text


def test_an_account_that_was_disabled_is_out_at_once(console):
    browser = console.browser("technician")
    accounts.disable(console.engine, "technician", By("test", START))
    assert browser.get("/account").status_code == 303


def test_a_broken_cookie_is_nobody(console):
    for cookie in (b"x", "é".encode(), b"a" * 4000, b'"'):
        headers = {"cookie": b"landfall=" + cookie}
        answer = console.browser().client.get("/account", headers=headers, follow_redirects=False)
        assert answer.status_code == 303
