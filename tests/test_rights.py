"""Every route states the right it needs, and nobody reads another store by any of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from feedback_app.domain.access import SYSTEM, Right
from feedback_app.domain.journey import B2C_STAGES
from feedback_app.edge.rights import right_of
from feedback_app.services import book, visits
from feedback_app.storage.tables import BookEntry, BookPhoto, Case, Response, Store, user_stores
from tests.builders import EMAILS, Chain, sign_in_as
from tests.services.handed_in import ALL_GOOD

SignIn = Callable[[str], FlaskClient]
MARKER = "Жырандоля"
OPEN = (Right.PUBLIC, Right.DEVICE)
SOME = {
    **{name: str(uuid4()) for name in ("response_id", "entry_id", "photo_id")},
    "device_id": "1",
    "case_id": "1",
    "template_id": "1",
    "code": "001",
    "year": "2026",
    "number": "1",
}


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def test_every_route_states_the_right_it_needs(app: Flask) -> None:
    found = {rule.rule: right_of(app, rule.endpoint) for rule in rules(app)}
    assert len(found) > 20
    assert [path for path, right in found.items() if right is None] == []


def test_what_is_open_to_all_is_a_short_list(app: Flask) -> None:
    """A new open route has to be thought about here."""
    public = {rule.rule for rule in rules(app) if right_of(app, rule.endpoint) is Right.PUBLIC}
    known = ("/static/", "/kiosk/static/", "/k/", "/q/", "/book/", "/healthz", "/readyz", "/login", "/logout")
    assert {path for path in public if not path.startswith(known)} == set()


def test_a_route_that_states_no_right_is_closed_even_to_the_administrator(
    make_app: Callable[..., Flask], sqlite_url: str
) -> None:
    app = make_app(sqlite_url)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    for client in (app.test_client(), sign_in_as(app.test_client(), "admin")):
        answer = client.get("/forgotten")
        assert answer.status_code == 403
        assert b"secret" not in answer.data


def addresses(app: Flask, **values: str) -> Iterator[tuple[Rule, str]]:
    """Every GET route of staff, its variables filled."""
    with app.test_request_context():
        for rule in rules(app):
            if "GET" in (rule.methods or ()) and right_of(app, rule.endpoint) not in (*OPEN, Right.NOBODY):
                for stage in B2C_STAGES if "stage" in rule.arguments else ("",):
                    filled = {"stage": stage, **SOME, **values}
                    missing = rule.arguments - set(filled)
                    assert not missing, f"{rule.rule}: the test fills no {missing}"
                    built = rule.build({name: filled[name] for name in rule.arguments}, append_unknown=False)
                    assert built is not None
                    yield rule, built[1]


@pytest.fixture
def marked(app_chain: Chain) -> Chain:
    """Store 002 is full of a word that stands nowhere else: comments, entries, visits, its very name."""
    app_chain.device("002")
    for index in range(12):
        text = f"{MARKER} {index}: очередь на кассе, грубый кассир, грязно, дорого, хлеб несвежий, {MARKER}"
        for touchpoint in ("entrance", "shelf", "checkout", "exit"):
            app_chain.a_tap(1, store="002", touchpoint=touchpoint, comment=text)
        app_chain.a_survey(store="002", overall=1, comment=text)
        photo = book.How(photos=(book.Photo("image/png", text.encode()),))
        book.write_entry(app_chain.db, "002", {"kind": "complaint", "text": text}, uuid4(), "ru", photo)
        app_chain.a_tap(4, comment="Хороший хлеб, вежливый кассир")
    for text in ("Где же", "Постройте", "Мечтаем о"):
        app_chain.a_survey(store="002", overall=1, comment=f"{text} {MARKER}")
    visits.submit(
        app_chain.db, app_chain.access("mystery_shopper"), "visit-002", {**ALL_GOOD, "comment": MARKER}, uuid4(), "ru"
    )
    table = Store.__table__
    names = dict.fromkeys(("ru", "be", "en"), f"{MARKER} 2")
    change = sa.update(table).where(table.c.code == "002").values(names=names, addresses=names)
    app_chain.db.write(lambda link: link.execute(change))
    return app_chain


def queries(cursors: list[str]) -> Iterator[dict[str, Any]]:
    yield {}
    yield {"store": "002"}
    yield {"store": ["001", "002"]}
    since = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    for more in ({}, {"store": "002"}):
        for measure, group in (
            ("csat", "store"),
            ("smiley", "touchpoint"),
            ("sentiment", "stage"),
            ("checklist", "store"),
        ):
            yield {**more, "measure": measure, "group": group, "since": since}
    for stage in ("checkout", "exit"):
        yield {"touchpoint": stage, "store": "002"}
    for cursor in cursors:
        yield {"cursor": cursor}
        yield {"cursor": cursor, "store": "002"}


def told(answer: Any) -> str:
    if answer.is_json:
        return json.dumps(answer.get_json(), ensure_ascii=False)
    if answer.mimetype == "application/pdf":
        pages = pypdfium2.PdfDocument(answer.data)
        return " ".join(page.get_textpage().get_text_range() for page in pages)
    return str(answer.get_data().decode(errors="replace"))


def read_all(client: FlaskClient, app: Flask, query: dict[str, Any], **values: str) -> dict[str, str]:
    found = {}
    for rule, path in addresses(app, **values):
        answer = client.get(path, query_string=query)
        assert answer.status_code in (200, 302, 400, 403, 404, 422), (rule.rule, query, answer.status_code)
        found[path] = told(answer)
    return found


FILL = {"key": "checkout", "token": "visit-002"}


def an_entry_of(chain: Chain, store: str) -> dict[str, str]:
    """What addresses the first entry of a store and its photo."""
    query = sa.select(BookEntry.year, BookEntry.number, BookPhoto.id).join(
        BookPhoto, BookPhoto.entry_id == BookEntry.id
    )
    query = query.where(BookEntry.store_id == chain.store_id(store)).order_by(BookEntry.number).limit(1)
    with chain.db.read(SYSTEM) as session:
        year, number, photo_id = session.execute(query).one()
    return {"code": store, "year": str(year), "number": str(number), "photo_id": str(photo_id)}


def a_comment_of(chain: Chain, store: str) -> str:
    query = sa.select(Response.id).where(Response.store_id == chain.store_id(store), Response.comment.is_not(None))
    with chain.db.read(SYSTEM) as session:
        return str(session.scalars(query.limit(1)).one())


def a_case_of(chain: Chain, store: str) -> str:
    with chain.db.read(SYSTEM) as session:
        return str(session.scalars(sa.select(Case.id).where(Case.store_id == chain.store_id(store)).limit(1)).one())


def test_a_manager_reads_nothing_of_another_store_by_any_route(app: Flask, marked: Chain, sign_in: SignIn) -> None:
    director, manager = sign_in("director"), sign_in("manager")
    cursor = director.get("/api/v1/responses", query_string={"limit": 10}).get_json()["next_cursor"]
    pages = re.findall(r"[?&;]cursor=([\w%=.-]+)", told(director.get("/map/stage/deal")))
    assert cursor
    an_entry = an_entry_of(marked, "002")
    fill = {**FILL, **an_entry, "response_id": a_comment_of(marked, "002"), "case_id": a_case_of(marked, "002")}
    seen = set()
    for path, page in read_all(director, app, {}, **fill).items():
        if MARKER in page:
            seen.add(path)
    correct = f"/comments/{fill['response_id']}/correct"
    known = {
        "/",
        "/map/stage/deal",
        "/map/topics",
        "/api/v1/responses",
        "/api/v1/stores",
        "/points",
        "/kiosks",
        correct,
        "/register",
        f"/register/002/{an_entry['year']}/{an_entry['number']}",
        f"/register/002/{an_entry['year']}/{an_entry['number']}/erase",
        f"/register/002/{an_entry['year']}/{an_entry['number']}.pdf",
        "/register/002.pdf",
        "/register/002/chain",
        f"/register/photos/{an_entry['photo_id']}",
        "/cases",
        f"/cases/{fill['case_id']}",
    }
    assert known <= seen, "the test looks at nothing"
    for query in queries([cursor, *pages]):
        for path, page in read_all(manager, app, query, **fill).items():
            assert MARKER not in page, (path, query)
            assert '"002"' not in page, (path, query)


def test_a_manager_s_figures_count_own_stores_alone(app: Flask, marked: Chain, sign_in: SignIn) -> None:
    manager = sign_in("manager")
    for query in ({}, {"store": "001"}):
        rows = manager.get("/api/v1/metrics", query_string={"measure": "smiley", "group": "store", **query}).get_json()[
            "rows"
        ]
        assert [(row["group"], row["n"], row["value"]) for row in rows] == [("001", 12, 100)]
    other = manager.get("/api/v1/metrics", query_string={"measure": "smiley", "group": "store", "store": "002"})
    assert other.status_code in (400, 404)


@pytest.mark.parametrize("role", EMAILS)
def test_a_role_opens_what_its_rights_say_and_nothing_else(
    app: Flask, app_chain: Chain, sign_in: SignIn, role: str
) -> None:
    client, access = sign_in(role), app_chain.access(role)
    for rule, path in addresses(app, key="checkout", token="visit-001"):
        right = right_of(app, rule.endpoint)
        assert right is not None
        status = client.get(path, query_string={"measure": "csat"}).status_code
        assert (status == 403) == (not access.may(right)), (path, status)


def test_without_signing_in_pages_lead_to_the_sign_in_and_programs_get_a_401(app: Flask, client: FlaskClient) -> None:
    for rule, path in addresses(app, **FILL):
        answer = client.get(path)
        if rule.endpoint.startswith("api."):
            assert answer.status_code == 401
            assert answer.is_json
        else:
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/login?next=")


def test_who_is_no_longer_active_is_signed_out(app: Flask, app_chain: Chain, sign_in: SignIn) -> None:
    manager = sign_in("manager")
    assert manager.get("/").status_code == 200
    app_chain.db.write(lambda link: link.execute(sa.text("UPDATE users SET active = false")))
    assert manager.get("/").status_code == 302


def test_a_change_of_scope_counts_from_the_next_request(app: Flask, marked: Chain, sign_in: SignIn) -> None:
    manager, user_id = sign_in("manager"), marked.access("manager").user_id

    def codes() -> list[str]:
        return [row["code"] for row in manager.get("/api/v1/stores").get_json()["stores"]]

    assert codes() == ["001"]
    moved = sa.update(user_stores).where(user_stores.c.user_id == user_id).values(store_id=marked.store_id("003"))
    marked.db.write(lambda link: link.execute(moved))
    assert codes() == ["003"]
