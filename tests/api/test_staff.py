"""The staff API: figures, the journey map, responses page by page, and who gets what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from feedback_app.domain.access import SYSTEM
from feedback_app.services import book
from feedback_app.services.exchange import COLUMNS, responses
from tests.builders import Chain
from tests.services.moments import at, monday

SignIn = Callable[[str], FlaskClient]
API = "/api/v1"


def get(client: FlaskClient, path: str, status: int = 200, **query: Any) -> Any:
    """Return the JSON of an address."""
    answer = client.get(f"{API}{path}", query_string=query or None)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.is_json
    return answer.get_json()


@pytest.fixture
def director(sign_in: SignIn) -> FlaskClient:
    """The director's browser."""
    return sign_in("director")


def test_a_figure_has_its_n_its_interval_and_the_version_of_the_data(app_chain: Chain, director: FlaskClient) -> None:
    for smiley in (4, 4, 4, 4, 1):
        app_chain.a_tap(smiley)
    found = get(director, "/metrics", measure="csat", group="store")
    assert [row["group"] for row in found["rows"]] == ["001"]
    row = found["rows"][0]
    assert row["n"] == 5
    assert row["value"] == pytest.approx(80)
    assert row["low"] < 80 < row["high"]
    assert isinstance(found["data_version"], int)


def test_groups_under_the_limit_show_n_alone(app_chain: Chain, director: FlaskClient) -> None:
    app_chain.a_tap(4)
    row = get(director, "/metrics", measure="smiley", group="touchpoint")["rows"][0]
    assert row == {"group": "checkout", "n": 1, "value": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"measure": "mood"}, "measure"),
        ({}, "measure"),
        ({"measure": "nps", "group": "moon"}, "group"),
        ({"measure": "nps", "since": "yesterday"}, "since"),
        ({"measure": "nps", "flagged": "maybe"}, "flagged"),
    ],
)
def test_a_query_that_cannot_be_read_is_a_400_that_names_the_field(
    app_chain: Chain, director: FlaskClient, query: dict[str, str], field: str
) -> None:
    assert get(director, "/metrics", 400, **query)["problems"][0]["field"] == field


def test_dates_are_utc_midnights_with_the_end_left_out(app_chain: Chain, director: FlaskClient) -> None:
    first = monday()
    for hour in (0, 23):
        for day in (-1, 0, 1):
            app_chain.a_tap(4, at=at(day, hour, 30, zone="UTC"))
    query = {"since": first.isoformat(), "until": (first + timedelta(days=1)).isoformat()}
    assert get(director, "/metrics", measure="smiley", **query)["rows"][0]["n"] == 2
    assert len(get(director, "/responses", **query)["rows"]) == 2


def test_doubtful_clocks_count_only_where_asked_for(app_chain: Chain, director: FlaskClient) -> None:
    app_chain.a_tap(4, at=at(-36_000, 12))
    assert get(director, "/metrics", measure="smiley")["rows"] == []
    assert get(director, "/metrics", measure="smiley", flagged="include")["rows"][0]["n"] == 1


def test_pages_of_responses_hold_every_exported_row_once(app_chain: Chain, director: FlaskClient) -> None:
    for n in range(12):
        app_chain.a_tap(3, at=at(1, 9 + n // 5), comment=f"Номер {n}")
    app_chain.a_tap(3, at=at(-36_000, 12))
    walked, cursor = [], ""
    while True:
        page = get(director, "/responses", limit=5, cursor=cursor)
        assert len(page["rows"]) <= 5
        walked += page["rows"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert walked == list(responses(app_chain.db, SYSTEM))
    assert set(walked[0]) == set(COLUMNS)
    assert len(walked) == 13


def test_responses_narrow_by_store_touchpoint_and_channel(app_chain: Chain, director: FlaskClient) -> None:
    app_chain.a_tap(4, store="001", touchpoint="checkout")
    app_chain.a_tap(4, store="002", touchpoint="exit")
    app_chain.a_survey(store="002", overall=5)
    for query, n in (({"store": "002"}, 2), ({"touchpoint": "checkout"}, 1), ({"channel": "qr", "store": "002"}, 1)):
        assert len(get(director, "/responses", **query)["rows"]) == n, query


def test_responses_of_a_region_are_those_of_its_stores(app_chain: Chain, director: FlaskClient) -> None:
    regions = {store["code"]: store["region"] for store in get(director, "/stores")["stores"]}
    assert len(set(regions.values())) > 1
    for store in regions:
        app_chain.a_tap(4, store=store)
    for region in set(regions.values()):
        rows = get(director, "/responses", region=region)["rows"]
        assert {row["store"] for row in rows} == {code for code in regions if regions[code] == region}
    assert get(director, "/responses", 404, region="atlantis")["error"] == "unknown_region"


def test_doubtful_clocks_are_left_out_of_the_responses_where_asked_for(app_chain: Chain, director: FlaskClient) -> None:
    for day in range(3):
        app_chain.a_tap(4, at=at(-36_000 + day, 12))
    sound = [str(app_chain.a_tap(4, at=at(day, 12))) for day in range(3)]
    assert len(get(director, "/responses")["rows"]) == 6
    assert len(get(director, "/responses", flagged="include")["rows"]) == 6
    first = get(director, "/responses", flagged="exclude", limit=2)
    assert [row["id"] for row in first["rows"]] == sound[:2]
    rest = get(director, "/responses", flagged="exclude", limit=2, cursor=first["next_cursor"])
    assert [row["id"] for row in rest["rows"]] == sound[2:]
    assert rest["next_cursor"] is None
    assert get(director, "/responses", 400, flagged="maybe")["problems"][0]["field"] == "flagged"


@pytest.mark.parametrize("query", [{"cursor": "nonsense"}, {"limit": "-1"}, {"limit": "many"}])
def test_a_bad_cursor_or_limit_is_a_400(director: FlaskClient, query: dict[str, str]) -> None:
    get(director, "/responses", 400, **query)


def test_the_journey_map_has_five_stages_with_sources_touchpoints_and_kpi(
    app_chain: Chain, director: FlaskClient
) -> None:
    for _ in range(5):
        app_chain.a_tap(4, touchpoint="checkout")
        book.write_entry(app_chain.db, "001", {"kind": "complaint", "text": "Очередь ужасная."}, uuid4(), "ru")
    stages = {stage["stage"]: stage for stage in get(director, "/journey")["stages"]}
    assert list(stages) == ["awareness", "evaluation", "deal", "experience", "trigger"]
    deal = stages["deal"]
    assert [source["source"] for source in deal["sources"]] == ["button", "book"]
    middle = sum(source["value"] for source in deal["sources"]) / 2
    assert deal["emotion"]["value"] == pytest.approx(middle)
    assert deal["touchpoints"][0]["index"]["value"] == 100
    assert deal["kpi"]["measure"] == "csat"
    assert deal["open_cases"] == 5


def test_a_segment_that_is_not_there_is_refused_not_passed_over(director: FlaskClient) -> None:
    assert get(director, "/journey", 400, segment="families")["problems"][0]["field"] == "segment"


def test_stores_and_touchpoints_are_listed(director: FlaskClient) -> None:
    assert [store["code"] for store in get(director, "/stores")["stores"]] == ["001", "002", "003"]
    touchpoints = get(director, "/touchpoints")["touchpoints"]
    assert [(one["key"], one["stage"]) for one in touchpoints] == [
        ("entrance", "awareness"),
        ("shelf", "evaluation"),
        ("counter", "evaluation"),
        ("checkout", "deal"),
        ("exit", "experience"),
    ]


def test_a_manager_gets_own_stores_and_404_for_others(app_chain: Chain, sign_in: SignIn) -> None:
    for store in ("001", "002", "003"):
        app_chain.a_tap(4, store=store)
    manager = sign_in("manager")
    own = {store["code"] for store in get(manager, "/stores")["stores"]}
    assert 0 < len(own) < 3
    foreign = ({"001", "002", "003"} - own).pop()
    assert {row["store"] for row in get(manager, "/responses")["rows"]} == own
    assert {row["group"] for row in get(manager, "/metrics", measure="smiley", group="store")["rows"]} == own
    for path, query in (("/responses", {}), ("/metrics", {"measure": "smiley"}), ("/journey", {})):
        assert get(manager, path, 404, store=foreign, **query)["error"] == "unknown_store"


@pytest.mark.parametrize("path", ["/stores", "/touchpoints", "/responses", "/metrics?measure=nps", "/journey"])
def test_without_signing_in_nothing_is_told(client: FlaskClient, path: str) -> None:
    get(client, path, 401)


@pytest.mark.parametrize("path", ["/stores", "/responses", "/metrics?measure=nps", "/journey"])
def test_a_mystery_shopper_is_refused(sign_in: SignIn, path: str) -> None:
    get(sign_in("mystery_shopper"), path, 403)
