"""Taking responses in: none is lost, none counted twice, and a bad one takes no good one with it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from feedback_app.api import body
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.clocks import Reading
from feedback_app.domain.errors import Forbidden, Invalid, NotFound, Problem
from feedback_app.services import catalogue, counting, intake, senders
from feedback_app.services.clock import now
from feedback_app.services.intake import DUPLICATE, REJECTED, STORED
from feedback_app.storage.database import Database
from feedback_app.storage.tables import AuditEvent, Case, Device, DevicePoint, MentionRow, Response
from tests.builders import Chain, open_chain
from tests.serving import server_of

CLIENTS = 16


def stored_ids(db: Database) -> set[UUID]:
    with db.read(SYSTEM) as session:
        return set(session.scalars(sa.select(Response.id)))


def one(db: Database, response_id: UUID | str) -> Response:
    with db.read(SYSTEM) as session:
        found = session.get(Response, UUID(str(response_id)))
        assert found is not None
        return found


def statuses(outcomes: list[intake.Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def codes(outcomes: list[intake.Outcome]) -> list[str | None]:
    return [outcome.problem.code if outcome.problem else None for outcome in outcomes]


# --- one after the other ----------------------------------------------------------------------------------------


def test_a_tap_is_stored_with_its_score_and_place(any_chain: Chain) -> None:
    row = one(any_chain.db, any_chain.a_tap(3, reason="queue", comment="Быстро и вежливо, спасибо кассиру!"))
    assert (row.channel, row.score, row.unpaired, row.flags) == ("button", 66.667, True, [])
    assert row.answers == {"smiley": 3, "comment": "Быстро и вежливо, спасибо кассиру!"}
    assert row.sentiment is not None
    assert row.sentiment > 0
    with any_chain.db.read(SYSTEM) as session:
        aspects = set(session.scalars(sa.select(MentionRow.aspect).where(MentionRow.response_id == row.id)))
    assert "staff" in aspects
    assert counting.verify(any_chain.db) == []


def test_the_same_again_is_a_duplicate_and_other_content_a_conflict(any_chain: Chain) -> None:
    first = any_chain.item({"smiley": 1, "reason": "queue"})
    assert statuses(any_chain.send(first)) == [STORED]
    assert statuses(any_chain.send(first)) == [DUPLICATE]
    reordered = {**first, "answers": {"reason": "queue", "smiley": 1}, "language": "en"}
    assert statuses(any_chain.send(reordered)) == [DUPLICATE]
    changed = any_chain.send({**first, "answers": {"smiley": 2, "reason": "queue"}})
    assert (statuses(changed), codes(changed)) == ([REJECTED], ["conflict"])
    assert one(any_chain.db, first["id"]).answers == {"smiley": 1, "reason": "queue"}
    assert counting.verify(any_chain.db) == []


def test_the_same_id_twice_in_one_batch(any_chain: Chain) -> None:
    first, other = any_chain.item(), any_chain.item()
    outcomes = any_chain.send(first, first, other, {**first, "answers": {"smiley": 1}}, first)
    assert statuses(outcomes) == [STORED, DUPLICATE, STORED, REJECTED, DUPLICATE]
    assert outcomes[3].problem is not None
    assert outcomes[3].problem.code == "conflict"
    assert stored_ids(any_chain.db) == {UUID(first["id"]), UUID(other["id"])}


def deep(levels: int) -> Any:
    nested: Any = 1
    for _ in range(levels):
        nested = [nested]
    return nested


BAD: dict[str, Callable[[Chain], Any]] = {
    "no object": lambda chain: "tap",
    "null": lambda chain: None,
    "no id": lambda chain: {key: value for key, value in chain.item().items() if key != "id"},
    "invalid uuid": lambda chain: chain.item(response_id="not-a-uuid"),
    "id is a number": lambda chain: chain.item(id=5),
    "surrogate in the id": lambda chain: chain.item(id="\ud800" * 36),
    "nul in the point": lambda chain: chain.item(point="\x00"),
    "surrogate in the point": lambda chain: chain.item(point="\ud800"),
    "unknown point": lambda chain: chain.item(point="nowhere"),
    "another point": lambda chain: chain.item(store="002"),
    "wrong type": lambda chain: chain.item({"smiley": "4"}),
    "boolean": lambda chain: chain.item({"smiley": True}),
    "null answer": lambda chain: chain.item({"smiley": None}),
    "three point zero": lambda chain: chain.item({"smiley": 3.0}),
    "out of scale": lambda chain: chain.item({"smiley": 5}),
    "huge": lambda chain: chain.item({"smiley": 10**4000}),
    "nan": lambda chain: chain.item({"smiley": float("nan")}),
    "unknown question": lambda chain: chain.item({"smiley": 4, "colour": "red"}),
    "surrogate as a question": lambda chain: chain.item({"smiley": 4, "\ud800": 1}),
    "text too long": lambda chain: chain.item({"smiley": 4, "comment": "я" * 4_001}),
    "deeply nested": lambda chain: chain.item({"smiley": deep(900)}),
    "no answers": lambda chain: chain.item({}),
    "unreadable date": lambda chain: chain.item(occurred_at="31.03.2026"),
    "nul in the date": lambda chain: chain.item(occurred_at="2099-01-01\x0012:00:00"),
    "surrogate in the date": lambda chain: chain.item(occurred_at="2099-01-01\ud80012:00:00"),
    "version too large": lambda chain: chain.item(form_version=2**70),
    "version zero": lambda chain: chain.item(form_version=0),
    "unknown language": lambda chain: chain.item(language="\x00"),
}


def test_good_neighbours_of_a_bad_item_are_stored(any_chain: Chain) -> None:
    good: set[UUID] = set()
    for kind, make in BAD.items():
        before, after = any_chain.item(), any_chain.item({"smiley": 2})
        outcomes = any_chain.send(before, make(any_chain), after)
        assert statuses(outcomes) == [STORED, REJECTED, STORED], kind
        assert outcomes[1].problem is not None
        good |= {UUID(before["id"]), UUID(after["id"])}
        assert stored_ids(any_chain.db) == good, kind
    assert counting.verify(any_chain.db) == []


def test_what_no_database_can_keep_is_left_out_of_a_text_and_the_rest_is_stored(any_chain: Chain) -> None:
    row = one(any_chain.db, any_chain.a_tap(4, comment="Дзякуй\x00,\ud800 Ганна! 🙂"))
    assert row.comment == "Дзякуй, Ганна! 🙂"


def test_an_item_that_the_database_refuses_takes_no_neighbour_with_it(any_chain: Chain) -> None:
    """The last net: the database itself says no to one row of a batch."""
    good, bad, also = (any_chain.item() for _ in range(3))
    sender = any_chain.sender()
    real = intake.prepare

    def prepare(*args: Any, **more: Any) -> list[intake.Prepared]:
        prepared = real(*args, **more)
        for item in prepared:
            if str(item.id) == bad["id"]:
                item.row["form_version_id"] = 10**6
        return prepared

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "prepare", prepare)
        outcomes = intake.record(any_chain.db, [good, bad, also], sender)
    assert statuses(outcomes) == [STORED, REJECTED, STORED]
    assert codes(outcomes)[1] == "not_storable"
    assert stored_ids(any_chain.db) == {UUID(good["id"]), UUID(also["id"])}
    assert counting.verify(any_chain.db) == []


def test_implausible_times_are_stored_flagged_and_counted_apart(any_chain: Chain) -> None:
    items = [any_chain.item(occurred_at=text) for text in ("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z")]
    assert statuses(any_chain.send(*items)) == [STORED, STORED]
    for item in items:
        row = one(any_chain.db, item["id"])
        assert row.claimed_at == item["occurred_at"]
        assert row.occurred_at == row.received_at
        assert now() - row.received_at < timedelta(minutes=1)
        assert row.flags == ["implausible_time"]
    assert counting.verify(any_chain.db) == []


def test_a_clock_that_is_an_hour_slow_is_corrected(any_chain: Chain) -> None:
    slow = now() - timedelta(hours=1)
    item = any_chain.item(at=slow - timedelta(minutes=5))
    assert statuses(intake.record(any_chain.db, [item], any_chain.sender(), Reading(slow))) == [STORED]
    row = one(any_chain.db, item["id"])
    assert abs(row.occurred_at - (row.received_at - timedelta(minutes=5))) < timedelta(seconds=5)
    assert row.flags == []


def test_a_late_item_counts_when_it_happened(any_chain: Chain) -> None:
    happened = now() - timedelta(days=40)
    row = one(any_chain.db, any_chain.a_tap(1, at=happened))
    assert (row.occurred_at, row.flags) == (happened, [])
    assert counting.verify(any_chain.db) == []


def test_a_survey_is_taken_in_once_and_says_what_is_wrong(any_chain: Chain) -> None:
    page = catalogue.point_page(any_chain.db, any_chain.token("001", "exit"), "survey")
    response_id = uuid4()
    answers = {"overall": 2, "reason": "queue", "effort": 3, "recommend": 1}
    assert intake.hand_in(any_chain.db, page.at, response_id, answers, "be").status == STORED
    assert intake.hand_in(any_chain.db, page.at, response_id, answers, "be").status == DUPLICATE
    with pytest.raises(Problem, match="conflict"):
        intake.hand_in(any_chain.db, page.at, response_id, {"overall": 5}, "be")
    with pytest.raises(Invalid, match="out_of_scale at overall"):
        intake.hand_in(any_chain.db, page.at, uuid4(), {"overall": 6}, "be")
    assert one(any_chain.db, response_id).channel == "qr"
    assert len(stored_ids(any_chain.db)) == 1


# --- who may send -----------------------------------------------------------------------------------------------


def test_a_device_may_send_for_every_point_it_ever_held_and_for_no_other(any_chain: Chain) -> None:
    sender = senders.device_sender(any_chain.db, any_chain.device("001", "checkout"))
    assert sender is not None
    moved_from = catalogue.point_page(any_chain.db, any_chain.token("001", "exit"), "kiosk").at.point_id
    held = {"device_id": sender.device_id, "point_id": moved_from, "since": now(), "until": now()}
    any_chain.db.write(lambda connection: connection.execute(sa.insert(DevicePoint.__table__).values(**held)))
    sender = senders.device_sender(any_chain.db, device_token(any_chain, sender))
    assert sender is not None
    items = [
        any_chain.item(touchpoint="checkout"),
        any_chain.item(touchpoint="exit"),
        any_chain.item(touchpoint="shelf"),
        any_chain.item(store="002"),
    ]
    outcomes = intake.record(any_chain.db, items, sender)
    assert statuses(outcomes) == [STORED, STORED, REJECTED, REJECTED]
    assert codes(outcomes)[2:] == ["unknown_point", "unknown_point"]
    row = one(any_chain.db, items[1]["id"])
    assert (row.device_id, row.unpaired) == (sender.device_id, False)


def device_token(chain: Chain, sender: senders.Sender) -> str:
    """Give the device a token that the test knows."""
    values = {"token_hash": catalogue.hash_token("known to the test")}
    table = Device.__table__
    chain.db.write(lambda link: link.execute(sa.update(table).where(table.c.id == sender.device_id).values(**values)))
    return "known to the test"


def test_a_revoked_device_an_unknown_token_and_a_closed_point_send_nothing(any_chain: Chain) -> None:
    token = any_chain.device()
    assert senders.device_sender(any_chain.db, token) is not None
    any_chain.db.write(lambda link: link.execute(sa.update(Device.__table__).values(revoked_at=now())))
    senders.forget(any_chain.db)
    assert senders.device_sender(any_chain.db, token) is None
    assert senders.device_sender(any_chain.db, "unknown") is None
    assert senders.point_sender(any_chain.db, "unknown") is None
    with any_chain.db.read(SYSTEM) as session:
        whole_store = catalogue.store_point(session, any_chain.store_id("001")).token
    assert senders.point_sender(any_chain.db, whole_store) is None


# --- void -------------------------------------------------------------------------------------------------------


def test_a_voided_response_leaves_every_count_and_stays_a_duplicate(any_chain: Chain) -> None:
    kept, item = any_chain.a_tap(4), any_chain.item({"smiley": 1, "comment": "Очередь, ужасная очередь!"})
    any_chain.send(item)
    director = any_chain.access("director")
    for _ in range(2):
        intake.void(any_chain.db, director, UUID(item["id"]), "a child played with it")
    assert counting.verify(any_chain.db) == []
    with any_chain.db.engine.connect() as connection:
        counted = counting.count_anew(any_chain.db, connection)
        events = connection.execute(
            sa.select(AuditEvent.__table__).where(AuditEvent.__table__.c.action == "response.void")
        )
        event = events.mappings().one()
    assert sum(sums.n for key, sums in counted.items() if key.cell.measure == "response") == 1
    assert (event["actor"], event["object"]) == ("director@otklik.example", f"response:{item['id']}")
    assert event["details"] == {"reason": "a child played with it"}
    assert statuses(any_chain.send(item)) == [DUPLICATE]
    assert one(any_chain.db, kept).voided_at is None


def test_who_may_not_void_changes_nothing(any_chain: Chain) -> None:
    tap = any_chain.a_tap(1, store="002")
    with pytest.raises(Forbidden):
        intake.void(any_chain.db, any_chain.access("manager"), tap, "no")
    of_one = replace(any_chain.access("director"), stores=frozenset({any_chain.store_id("001")}))
    for unseen in (tap, uuid4()):
        with pytest.raises(NotFound):
            intake.void(any_chain.db, of_one, unseen, "no")
    assert one(any_chain.db, tap).voided_at is None
    assert counting.verify(any_chain.db) == []


def test_eight_who_void_at_the_same_time_take_it_out_once(any_chain: Chain) -> None:
    tap = any_chain.a_tap(1)
    any_chain.a_tap(1)
    director = any_chain.access("director")
    barrier = threading.Barrier(8)

    def void(_: int) -> None:
        barrier.wait()
        intake.void(any_chain.db, director, tap, "twice")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(void, range(8)))
    assert counting.verify(any_chain.db) == []


# --- through the real API, many at once -------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """The app on a port, and what its database holds."""

    address: str
    chain: Chain

    def post(self, token: str, content: bytes | Any, **headers: str) -> tuple[int, Any]:
        """Post a body to the device API; return status and JSON."""
        parts = urlsplit(self.address)
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        link = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            given = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
            link.request("POST", "/api/v1/responses", raw, given)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()


@pytest.fixture
def served(make_app: Callable[..., Flask], database_url: str) -> Iterator[Served]:
    """The app served over HTTP, once over SQLite and once over PostgreSQL."""
    app = make_app(database_url, TESTING=False)
    server = server_of(app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}", open_chain(app.extensions["otklik"]))
    server.shutdown()
    thread.join()
    server.server_close()


def a_batch(chain: Chain, client: int, size: int = 20) -> list[Any]:
    """Items of one client; one in ten is bad, of every kind that can be said in JSON by turns."""
    kinds = [kind for kind in BAD if kind not in ("nan", "huge")]
    items = []
    for index in range(size):
        if index % 10 == 3:
            items.append(BAD[kinds[(client * 7 + index) % len(kinds)]](chain))
        else:
            smiley = 1 + (client + index) % 4
            items.append(chain.item({"smiley": smiley, **({"comment": "Очередь!"} if index == 0 else {})}))
    return items


@pytest.mark.parametrize("paired", [True, False], ids=["device", "point"])
def test_sixteen_clients_at_once_lose_no_good_item_while_one_in_ten_is_bad(served: Served, paired: bool) -> None:
    chain = served.chain
    token = chain.device() if paired else chain.token()
    batches = [[a_batch(chain, client) for _ in range(3)] for client in range(CLIENTS)]
    barrier = threading.Barrier(CLIENTS)

    def client(mine: list[list[Any]]) -> list[tuple[int, Any]]:
        barrier.wait()
        return [served.post(token, {"sent_at": now().isoformat(), "responses": batch}) for batch in mine]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(client, batches))
    good = set()
    for mine, told in zip(batches, answers, strict=True):
        for batch, (status, answer) in zip(mine, told, strict=True):
            assert status == 200
            results = answer["results"]
            assert [result["status"] for result in results] == [
                "rejected" if index % 10 == 3 else "stored" for index in range(len(batch))
            ]
            assert all(result.get("error") for result in results if result["status"] == "rejected")
            for item, result in zip(batch, results, strict=True):
                if result["status"] == "stored":
                    assert result["id"] == item["id"]
                    good.add(UUID(item["id"]))
    assert len(good) == CLIENTS * 3 * 18
    assert stored_ids(chain.db) == good
    assert counting.verify(chain.db) == []
    with chain.db.read(SYSTEM) as session:
        assert set(session.scalars(sa.select(Response.unpaired))) == {not paired}


def test_the_same_item_from_eight_threads_is_stored_once(served: Served) -> None:
    items = [served.chain.item() for _ in range(5)]
    token = served.chain.token()
    barrier = threading.Barrier(8)

    def post(index: int) -> list[str]:
        barrier.wait()
        mine = items if index % 2 else items[::-1]
        status, answer = served.post(token, {"responses": mine})
        assert status == 200
        return [result["status"] for result in answer["results"]]

    with ThreadPoolExecutor(8) as pool:
        told = Counter(status for many in pool.map(post, range(8)) for status in many)
    assert told == {"stored": 5, "duplicate": 35}
    assert stored_ids(served.chain.db) == {UUID(item["id"]) for item in items}
    assert counting.verify(served.chain.db) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"tap",
        b'{"responses": [',
        b'{"responses": [{"answers": {"smiley": NaN}}]}',
        b'{"responses": [{"answers": {"smiley": Infinity}}]}',
        b'{"responses": [{"answers": {"smiley": -Infinity}}]}',
        b"\xff\xfe",
        b'{"responses": []} x',
        b"[" * 100_000,
        b"null",
        b"5",
        b"[]",
        b'{"responses": {}}',
        b'{"items": []}',
    ],
)
def test_a_body_that_is_no_json_or_no_batch_is_a_400_for_the_whole(
    client: FlaskClient, app_chain: Chain, raw: bytes
) -> None:
    answer = post(client, app_chain.token(), raw)
    assert answer.status_code == 400
    assert answer.get_json()["error"] in {"not_json", "no_responses"}
    assert stored_ids(app_chain.db) == set()


def post(client: FlaskClient, token: str, raw: bytes | Any) -> Any:
    given = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return client.post("/api/v1/responses", data=given, headers={"Authorization": f"Bearer {token}"})


def test_one_item_nested_without_end_is_refused_alone(client: FlaskClient, app_chain: Chain) -> None:
    good = app_chain.item()
    nested = '{"id": "' + str(uuid4()) + '", "answers": ' + "[" * 50_000 + "]" * 50_000 + "}"
    answer = post(client, app_chain.token(), f'{{"responses": [{nested}, {json.dumps(good)}]}}'.encode())
    assert [result["status"] for result in answer.get_json()["results"]] == ["rejected", "stored"]


def test_an_item_without_an_id_is_answered_with_null(client: FlaskClient, app_chain: Chain) -> None:
    answer = post(client, app_chain.token(), {"responses": [5, {"id": 7}, {"id": "seven"}, app_chain.item()]})
    assert [result["id"] for result in answer.get_json()["results"][:3]] == [None, None, "seven"]
    assert all(set(result) >= {"id", "status", "error"} for result in answer.get_json()["results"][:3])


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic abc"}]
)
def test_a_bad_token_is_a_401(client: FlaskClient, app_chain: Chain, header: dict[str, str]) -> None:
    for address, method in (("/api/v1/responses", client.post), ("/api/v1/device", client.get)):
        answer = method(address, headers=header, json={"responses": [app_chain.item()]})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert stored_ids(app_chain.db) == set()


def test_a_revoked_device_is_a_401(client: FlaskClient, app_chain: Chain) -> None:
    token = app_chain.device()
    assert post(client, token, {"responses": []}).status_code == 200
    app_chain.db.write(lambda link: link.execute(sa.update(Device.__table__).values(revoked_at=datetime.now(UTC))))
    senders.forget(app_chain.db)
    assert post(client, token, {"responses": [app_chain.item()]}).status_code == 401


def test_a_thousand_items_are_taken_and_one_more_is_a_413(client: FlaskClient, app_chain: Chain) -> None:
    token = app_chain.device()
    items = [app_chain.item() for _ in range(1_001)]
    assert post(client, token, {"responses": items}).status_code == 413
    assert stored_ids(app_chain.db) == set()
    answer = post(client, token, {"responses": items[:1_000]})
    assert Counter(result["status"] for result in answer.get_json()["results"]) == {"stored": 1_000}
    assert counting.verify(app_chain.db) == []


def test_more_than_eight_mebibytes_are_a_413(client: FlaskClient, app_chain: Chain) -> None:
    padding = " " * (8 * 1024 * 1024)
    answer = post(client, app_chain.token(), (padding + '{"responses": []}').encode())
    assert answer.status_code == 413
    assert answer.is_json
    just_inside = padding[: 8 * 1024 * 1024 - 20] + '{"responses": []}'
    assert post(client, app_chain.token(), just_inside.encode()).status_code == 200


def test_what_is_not_there_is_a_404_in_json(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, answer.is_json) == (404, True)
    assert client.delete("/api/v1/responses").status_code == 405


def test_a_device_is_told_its_points_and_their_forms(client: FlaskClient, app_chain: Chain) -> None:
    answer = client.get("/api/v1/device", headers={"Authorization": f"Bearer {app_chain.device()}"}).get_json()
    assert answer["device"]["id"]
    assert abs(datetime.fromisoformat(answer["server_time"]) - now()) < timedelta(minutes=1)
    (point,) = answer["points"]
    assert (point["token"], point["store"], point["touchpoint"], point["stage"]) == (
        app_chain.token(),
        "001",
        "checkout",
        "deal",
    )
    assert (point["form"]["key"], point["form"]["version"]) == ("kiosk-checkout", 1)
    assert [(question["key"], question["type"]) for question in point["form"]["questions"]] == [
        ("smiley", "smiley4"),
        ("reason", "choice"),
        ("comment", "text"),
    ]


# --- reading bodies ---------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_whatever_is_json_is_read_as_python_reads_it(value: Any) -> None:
    text = json.dumps(value, allow_nan=False)
    assert body.parse(text.encode()) == json.loads(text)
    assert json.loads(body.shorten(text)) == json.loads(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    try:
        value = body.parse(raw)
    except body.NotJson:
        return
    assert json.loads(raw) == value


@given(json_values, st.integers(1, 40))
def test_a_body_cut_off_is_refused(value: Any, cut: int) -> None:
    text = json.dumps({"responses": [value]})
    with pytest.raises(body.NotJson):
        body.parse(text[: max(1, len(text) - cut)].encode()[:-1])


@given(st.integers(65, 3_000), json_values)
def test_only_what_is_too_deep_is_cut_out(levels: int, beside: Any) -> None:
    text = json.dumps([beside, '[[\\"{']) + "," + "[" * levels + "]" * levels
    read = json.loads(body.shorten(f"[{text}]"))
    assert read[:1] == [json.loads(json.dumps([beside, '[[\\"{']))]


def test_a_number_longer_than_any_scale_is_read_and_refused_as_an_answer() -> None:
    assert body.parse(b'{"n": ' + b"9" * 100_000 + b"}")["n"] >= 10**19


# --- cases ------------------------------------------------------------------------------------------------------


def test_taps_open_no_case(any_chain: Chain) -> None:
    any_chain.a_tap(1)
    any_chain.a_tap(4, comment="Всё хорошо, спасибо!")
    with any_chain.db.read(SYSTEM) as session:
        assert list(session.scalars(sa.select(Case))) == []


def test_a_database_that_is_locked_refuses_no_item_for_good(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedback_app.storage.database.BUSY_TIMEOUT_MS", 100)
    db = Database(sqlite_url)
    chain = open_chain(db)
    items = [chain.item() for _ in range(3)]
    other = sqlite3.connect(str(db.engine.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        chain.send(*items)
    other.execute("ROLLBACK")
    other.close()
    assert [outcome.status for outcome in chain.send(*items)] == [STORED] * 3
    db.close()
