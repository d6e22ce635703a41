"""Collection points and visits."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.builders import Chain, open_chain
from tests.web.scene import Reader, text_of, title_of


@pytest.fixture
def chain(filled_app: Flask) -> Chain:
    """The cast of the filled chain."""
    return open_chain(filled_app.extensions["otklik"])


def test_a_point_has_its_addresses(read: Reader, chain: Chain) -> None:
    page, token = read("/points"), chain.token("001", "checkout")
    for address in (f"/k/{token}", f"/q/{token}", f"/q/{token}/qr.svg", f"/q/{token}/qr.png", f"/q/{token}/poster"):
        assert f'href="{address}"' in page
    assert 'href="/book/001"' in page


def test_the_title_counts_points_and_stores(read: Reader) -> None:
    assert title_of(read("/points")) == "15 collection points in 3 stores"
    assert title_of(read("/points", language="ru")) == "15 точек сбора в 3 магазинах"
    assert title_of(read("/points", "manager")) == "5 collection points in 1 store"


def test_a_shopper_opens_the_checklist_from_the_list(read: Reader) -> None:
    page = read("/visits", "mystery_shopper")
    assert set(re.findall(r'href="/visit/([^"]+)"', page)) == {"visit-001", "visit-002", "visit-003"}
    assert title_of(page) == "3 visits wait to be made"


def test_a_day_that_passed_is_called_overdue(read: Reader) -> None:
    assert "Jan 15, 2026 overdue" in text_of(read("/visits", "mystery_shopper"))


def test_a_manager_sees_the_visits_to_the_own_store(read: Reader) -> None:
    assert set(re.findall(r'href="/visit/([^"]+)"', read("/visits", "manager"))) == {"visit-001"}
