"""The frame around every page: headers, cookies, tokens of forms, limits, and who did what."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from feedback_app.domain.access import Right
from feedback_app.edge import limits
from feedback_app.edge.rights import right_of
from feedback_app.services import counting, demo
from feedback_app.storage.tables import BookEntry, Response
from tests.builders import EMAILS, Chain, csrf_of, open_chain, sign_in_as
from tests.test_rights import addresses, rules

SignIn = Callable[[str], FlaskClient]
MakeApp = Callable[..., Flask]


def pages(app: Flask, chain: Chain) -> Iterator[str]:
    """Every address that answers a GET: open ones, staff's, and some that are not there."""
    yield from (
        "/healthz",
        "/readyz",
        "/login",
        f"/k/{chain.token()}",
        f"/q/{chain.token()}",
        f"/q/{chain.token()}/thanks",
    )
    yield from (
        f"/q/{chain.token()}/poster",
        "/book/001",
        "/book/999",
        "/nowhere",
        "/api/v1/nowhere",
        "/k/service_worker.js",
    )
    yield from (f"/k/{chain.token()}/app.webmanifest", "/api/v1/device", "/static/nothing.css")
    yield from (path for _, path in addresses(app, key="checkout", token="visit-001"))


def policy(answer: Any) -> dict[str, str]:
    parts = answer.headers["Content-Security-Policy"].split(";")
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in parts)}


def test_every_answer_carries_the_headers(app: Flask, app_chain: Chain, sign_in: SignIn) -> None:
    app_chain.a_tap(1, comment="Очередь!")
    for client in (app.test_client(), sign_in("director")):
        for path in pages(app, app_chain):
            answer = client.get(path)
            csp = policy(answer)
            assert csp["default-src"] == "'none'", path
            assert csp["script-src"] == csp["style-src"] == csp["form-action"] == "'self'", path
            assert csp["frame-ancestors"] == csp["base-uri"] == "'none'", path
            assert not re.search("unsafe|http:|\\*", answer.headers["Content-Security-Policy"]), path
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Referrer-Policy"] == "same-origin", path
            assert "Strict-Transport-Security" not in answer.headers, path


def test_no_page_needs_what_the_policy_forbids(app: Flask, app_chain: Chain, sign_in: SignIn) -> None:
    for index in range(6):
        app_chain.a_tap(1 + index % 4, comment="Очередь!")
    client, looked = sign_in("director"), 0
    for path in pages(app, app_chain):
        answer = client.get(path)
        if answer.mimetype != "text/html":
            continue
        page, looked = answer.get_data(as_text=True), looked + 1
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|javascript:|<base", page, re.IGNORECASE), path
        for script in re.findall(r"<script[^>]*>", page):
            assert "src=" in script or 'type="application/json"' in script, (path, script)
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page), path
    assert looked > 10


def cookies(answer: Any) -> dict[str, Any]:
    found: SimpleCookie = SimpleCookie()
    for header in answer.headers.getlist("Set-Cookie"):
        found.load(header)
    return dict(found)


def log_in(client: FlaskClient, email: str, password: str = demo.PASSWORD, **more: Any) -> Any:
    token = csrf_of(client.get("/login", **more).get_data(as_text=True))
    data = {"email": email, "password": password, "csrf_token": token, "remember": "y"}
    return client.post("/login", data=data, **more)


def test_cookies_are_closed_to_scripts_and_other_sites(app: Flask, app_chain: Chain) -> None:
    answer = log_in(app.test_client(), EMAILS["director"])
    language = app.test_client().get("/login?lang=be")
    for name, cookie in {**cookies(answer), **cookies(language)}.items():
        assert cookie["httponly"], name
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert not cookie["secure"], name
    assert {"otklik", "lang"} <= {*cookies(answer), *cookies(language)}


def test_an_https_address_makes_cookies_secure_and_turns_hsts_on(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, OTKLIK_BASE_URL="https://otklik.example.by")
    at = {"base_url": "https://otklik.example.by", "headers": {"Referer": "https://otklik.example.by/login"}}
    answer = log_in(app.test_client(), EMAILS["director"], **at)
    assert answer.status_code == 302
    set_here = {**cookies(answer), **cookies(app.test_client().get("/login?lang=be"))}
    for name, cookie in set_here.items():
        assert cookie["secure"], name
        assert cookie["httponly"], name
    session = {name: cookie for name, cookie in set_here.items() if name != "lang"}
    assert session
    for name, cookie in session.items():
        assert name.startswith("__Host-")
        assert cookie["path"] == "/"
        assert not cookie["domain"]
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("cut_off", [True, False], ids=["proxy cuts the path off", "proxy hands it on"])
def test_below_a_sub_path_everything_stays_below_it(make_app: MakeApp, sqlite_url: str, cut_off: bool) -> None:
    app = make_app(sqlite_url, OTKLIK_BASE_URL="http://127.0.0.1/shops/otklik")
    client, chain = app.test_client(), open_chain(app.extensions["otklik"])
    prefix = "" if cut_off else "/shops/otklik"
    assert client.get(f"{prefix}/").headers["Location"].startswith("/shops/otklik/login?next=")
    for path in ("/login", f"/k/{chain.token()}", f"/q/{chain.token()}", "/book/001"):
        answer = client.get(f"{prefix}{path}")
        assert answer.status_code == 200
        links = re.findall(r"(?:href|src|action)=\"(/[^\"]*)\"", answer.get_data(as_text=True))
        assert links
        assert [link for link in links if not link.startswith("/shops/otklik/")] == [], path
    if not cut_off:
        assert client.get("/shops/otklik").status_code in (301, 302, 308)


# --- forms ------------------------------------------------------------------------------------------------------


def counts(chain: Chain) -> list[int]:
    tables = (
        "responses",
        "book_entries",
        "visits",
        "users",
        "audit_events",
        "jobs",
        "cases",
        "settings",
        "corrections",
    )
    with chain.db.engine.connect() as connection:
        found = [connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]
        found.append(connection.execute(sa.text("SELECT count(*) FROM visits WHERE submitted_at IS NULL")).scalar_one())
    return found


@pytest.mark.parametrize("token", [None, "made-up"])
def test_a_post_without_a_form_s_token_changes_nothing(
    app: Flask, app_chain: Chain, sign_in: SignIn, token: str | None
) -> None:
    clients = [app.test_client(), *(sign_in(role) for role in ("admin", "director", "manager", "mystery_shopper"))]
    data = {
        "kind": "complaint",
        "text": "Очередь!",
        "smiley": "5",
        "label": "positive",
        "email": EMAILS["director"],
        "password": demo.PASSWORD,
        **({"csrf_token": token} if token else {}),
    }
    values = {
        "token": app_chain.token(),
        "code": "001",
        "year": "2026",
        "number": "1",
        "key": "checkout",
        "stage": "deal",
        "filename": "x",
        "slip": "x",
        "device_id": "1",
        "response_id": app_chain.a_tap(1, comment="Очередь!"),
        "secret": "s" * 22,
        "entry_id": uuid4(),
        "photo_id": uuid4(),
        "case_id": "1",
        "template_id": "1",
        "what": "note",
    }
    before, tried = counts(app_chain), 0
    with app.test_request_context():
        paths = {
            rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1]  # type: ignore[index]
            for rule in rules(app)
            if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"} and not rule.endpoint.startswith("api.")
        }
    paths.add("/visit/visit-001")
    for path in sorted(paths):
        for client in clients:
            answer = client.post(path, data=data)
            assert answer.status_code in (302, 400, 403, 404, 405, 422), (path, answer.status_code)
            if answer.status_code == 302:
                assert "/login" in answer.headers["Location"] or answer.headers["Location"] == "/", path
            tried += 1
    assert tried > 20
    assert counts(app_chain) == before
    assert clients[2].get("/").status_code == 200, "nobody was signed out either"
    assert app.test_client().get("/").status_code == 302


def test_state_changing_routes_without_a_token_are_the_device_api_alone(app: Flask) -> None:
    changing = {rule.endpoint for rule in rules(app) if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}}
    api = {endpoint for endpoint in changing if endpoint.startswith("api.")}
    assert all(right_of(app, endpoint) is Right.DEVICE for endpoint in api)


# --- signing in -------------------------------------------------------------------------------------------------


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(app: Flask, app_chain: Chain) -> None:
    def refused(email: str) -> str:
        answer = log_in(app.test_client(), email, "a wrong password")
        assert answer.status_code == 200
        page = answer.get_data(as_text=True).replace(email, "")
        return re.sub(r'value="[^"]*"', "", page)

    known, unknown = refused(EMAILS["director"]), refused("nobody@otklik.example")
    assert known == unknown
    assert app.test_client().get("/").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_site(app: Flask, app_chain: Chain, target: str) -> None:
    client = app.test_client()
    token = csrf_of(client.get("/login").get_data(as_text=True))
    data = {"email": EMAILS["director"], "password": demo.PASSWORD, "csrf_token": token, "next": target}
    answer = client.post("/login", query_string={"next": target}, data=data)
    location = answer.headers.get("Location", "/")
    assert re.match(r"/(?![/\\])", location), location


def test_signing_out_is_a_post_and_ends_the_session(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("director")
    client.get("/logout")
    page = client.get("/")
    assert page.status_code == 200
    client.post("/logout", data={"csrf_token": csrf_of(page.get_data(as_text=True))})
    assert client.get("/").status_code == 302


# --- limits -----------------------------------------------------------------------------------------------------


@pytest.fixture
def limited(make_app: MakeApp, sqlite_url: str) -> Flask:
    """The app as it is without any setting: with its limits."""
    return make_app(sqlite_url, OTKLIK_RATE_LIMITS="on")


def until_refused(post: Callable[[], Any], most: int) -> int:
    """Post until the answer is 429, which says when to come back; return how many were let through."""
    for passed in range(most):
        answer = post()
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            return passed
    return most


def fresh(data: dict[str, str]) -> dict[str, str]:
    return {**data, "response_id": str(uuid4())}


def test_sixty_book_entries_a_minute(limited: Flask) -> None:
    client, chain = limited.test_client(), open_chain(limited.extensions["otklik"])
    token = csrf_of(client.get("/book/001").get_data(as_text=True))
    data = {"kind": "thanks", "text": "Дзякуй!", "csrf_token": token}
    assert until_refused(lambda: client.post("/book/001", data=fresh(data)), 70) == 60
    with chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(BookEntry.__table__)).scalar() == 60
    assert client.get("/book/001").status_code == 200


def test_a_hundred_and_twenty_survey_responses_a_minute(limited: Flask) -> None:
    client, chain = limited.test_client(), open_chain(limited.extensions["otklik"])
    address = f"/q/{chain.token()}"
    data = {"smiley": "5", "csrf_token": csrf_of(client.get(address).get_data(as_text=True))}
    assert until_refused(lambda: client.post(address, data=fresh(data)), 130) == 120
    assert counting.responses_in_all(chain.db) == 120


def test_ten_tries_to_sign_in_a_minute(limited: Flask) -> None:
    client = limited.test_client()
    token = csrf_of(client.get("/login").get_data(as_text=True))
    data = {"email": EMAILS["director"], "password": "a wrong password", "csrf_token": token}
    assert until_refused(lambda: client.post("/login", data=data), 15) == 10
    right = {**data, "password": demo.PASSWORD}
    assert client.post("/login", data=right).status_code == 429


def test_two_thousand_items_a_second_of_a_device_and_none_is_lost(limited: Flask) -> None:
    client, chain = limited.test_client(), open_chain(limited.extensions["otklik"])
    headers = {"Authorization": f"Bearer {chain.device()}"}
    bad = [{"id": str(uuid4())} for _ in range(1_000)]
    passed = until_refused(lambda: client.post("/api/v1/responses", json={"responses": bad}, headers=headers), 60)
    assert 2 <= passed < 60


def test_many_at_once_get_no_more_tries_than_one(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    look = limits._items.test

    def slow_look(*given: Any, **more: Any) -> bool:
        free = look(*given, **more)
        time.sleep(0.02)
        return bool(free)

    monkeypatch.setattr(limits._items, "test", slow_look)

    def attempt(_number: int) -> int:
        with limited.test_request_context():
            try:
                limits.spend_items(limits.PIN_TRIES, "somebody", 1)
            except HTTPException as refused:
                return refused.get_response().status_code
            return 200

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(attempt, range(16))) == [200] * 5 + [429] * 11


def test_limits_can_be_switched_off_for_checks(app: Flask, app_chain: Chain) -> None:
    client = app.test_client()
    token = csrf_of(client.get("/login").get_data(as_text=True))
    data = {"email": "nobody@otklik.example", "password": "wrong", "csrf_token": token}
    assert until_refused(lambda: client.post("/login", data=data), 15) == 15


# --- the unforeseen ---------------------------------------------------------------------------------------------


def test_a_value_that_no_database_can_hold_is_the_reader_s_fault(
    make_app: MakeApp, database_url: str, app_chain: Chain
) -> None:
    app = make_app(database_url, TESTING=False)
    client = sign_in_as(app.test_client(), "director")
    for path in ("/k/%00", "/q/%00", "/book/%00", "/map/touchpoint/%00", "/api/v1/responses?store=%00", "/?store=%00"):
        assert client.get(path).status_code < 500, path
    token = csrf_of(app.test_client().get("/book/001").get_data(as_text=True))
    for email in ("\x00", "a\x00@otklik.example", "\ud800@otklik.example".encode("utf-8", "surrogatepass")):
        answer = app.test_client().post("/login", data={"email": email, "password": "\x00", "csrf_token": token})
        assert answer.status_code < 500


def test_an_error_of_ours_tells_the_visitor_nothing_of_it(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, TESTING=False, PROPAGATE_EXCEPTIONS=False)

    def broken() -> None:
        raise RuntimeError("a secret of the house")

    broken.otklik_right = Right.PUBLIC  # type: ignore[attr-defined]
    app.add_url_rule("/broken", "broken", broken)
    app.add_url_rule("/api/broken", "api_broken", broken)
    for path in ("/broken", "/api/broken"):
        answer = app.test_client().get(path)
        assert answer.status_code == 500
        assert "secret" not in answer.get_data(as_text=True)
        assert "Content-Security-Policy" in answer.headers


def test_a_database_that_does_not_answer_is_a_503_and_nothing_is_half_stored(
    make_app: MakeApp, sqlite_url: str
) -> None:
    app = make_app(sqlite_url, TESTING=False)
    chain = open_chain(app.extensions["otklik"])
    item, token = chain.item(), chain.token()
    chain.db.write(lambda link: link.execute(sa.text("ALTER TABLE responses RENAME TO away")))
    answer = app.test_client().post(
        "/api/v1/responses", json={"responses": [item]}, headers={"Authorization": f"Bearer {token}"}
    )
    assert (answer.status_code, answer.is_json) == (503, True)
    assert int(answer.headers["Retry-After"]) > 0
    chain.db.write(lambda link: link.execute(sa.text("ALTER TABLE away RENAME TO responses")))
    with chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Response.__table__)).scalar() == 0
    assert counting.verify(chain.db) == []


@pytest.mark.parametrize("query", ["endpoint=x", "_anchor=x", "_scheme=x", "_external=1", "_method=x", "values=x"])
def test_an_odd_query_string_is_kept_and_breaks_nothing(make_app: MakeApp, sqlite_url: str, query: str) -> None:
    client = make_app(sqlite_url, TESTING=False).test_client()
    for path in ("/login", "/book/001", "/nowhere"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code in (200, 404)
        assert f"{path}?{query}&amp;lang=be" in answer.get_data(as_text=True)


def test_signing_in_and_out_below_a_sub_path_stays_below_it(make_app: MakeApp, sqlite_url: str) -> None:
    client = make_app(sqlite_url, OTKLIK_BASE_URL="http://127.0.0.1/shops").test_client()
    away = client.get("/map").headers["Location"]
    assert away == "/shops/login?next=/shops/map"
    page = client.get("/login").get_data(as_text=True)
    sign_in = {"email": EMAILS["director"], "password": demo.PASSWORD, "csrf_token": csrf_of(page)}
    assert client.post("/login", data=sign_in).headers["Location"] == "/shops/"
    page = client.get("/points").get_data(as_text=True)
    assert client.post("/logout", data={"csrf_token": csrf_of(page)}).headers["Location"] == "/shops/login"


def test_a_signed_in_reader_of_a_lost_database_gets_a_page_in_words(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, TESTING=False)
    client = sign_in_as(app.test_client(), "director")
    db = app.extensions["otklik"]
    db.write(lambda connection: connection.exec_driver_sql("ALTER TABLE users RENAME TO users_lost"))
    for path in ("/", "/points", "/login"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (503, "text/html"), path
    assert app.test_client().get("/healthz").status_code == 200


def test_secret_links_are_tried_so_often_and_not_more(limited: Flask) -> None:
    client = limited.test_client()
    assert {client.get(f"/book/001/follow/{'a' * 20}{index:02}").status_code for index in range(60)} == {404}
    assert client.get(f"/book/001/follow/{'a' * 22}").status_code == 429
