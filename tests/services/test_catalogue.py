"""Points, forms and devices."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Forbidden, NotFound, Problem
from feedback_app.services import catalogue, senders
from feedback_app.services.clock import now
from feedback_app.services.standard_forms import REVIEW
from feedback_app.storage.tables import AuditEvent, Device, FormVersion, Point
from tests.builders import Chain


def test_a_point_has_a_form_for_each_of_its_pages(any_chain: Chain) -> None:
    kiosk = catalogue.point_page(any_chain.db, any_chain.token("001", "exit"), "kiosk")
    survey = catalogue.point_page(any_chain.db, any_chain.token("001", "exit"), "survey")
    assert (kiosk.at.form.key, kiosk.at.channel) == ("kiosk-exit", "button")
    assert (survey.at.form.key, survey.at.channel) == ("survey-visit", "qr")
    assert (kiosk.store_code, kiosk.at.touchpoint, kiosk.at.stage) == ("001", "exit", "experience")


@pytest.mark.parametrize("token", ["", "nowhere", "x" * 10_000, "ў", "' OR 1=1 --"])
def test_a_token_that_is_not_there_opens_nothing(any_chain: Chain, token: str) -> None:
    with pytest.raises(NotFound):
        catalogue.point_page(any_chain.db, token, "kiosk")
    with pytest.raises(NotFound):
        catalogue.store_page(any_chain.db, token)


def test_a_closed_point_opens_no_page_and_what_it_collected_stays(any_chain: Chain) -> None:
    tap, token = any_chain.a_tap(4), any_chain.token()
    table = Point.__table__
    any_chain.db.write(
        lambda link: link.execute(sa.update(table).where(table.c.token == token).values(closed_at=now()))
    )
    with pytest.raises(NotFound):
        catalogue.point_page(any_chain.db, token, "kiosk")
    assert tap
    assert len(catalogue.points(any_chain.db, any_chain.access("director"))) == 14


def test_a_manager_lists_the_points_of_own_stores(any_chain: Chain) -> None:
    listed = catalogue.points(any_chain.db, any_chain.access("manager"))
    assert {row.store_code for row in listed} == {"001"}
    assert [row.touchpoint for row in listed] == ["entrance", "shelf", "counter", "checkout", "exit"]
    with pytest.raises(Forbidden):
        catalogue.points(any_chain.db, any_chain.access("mystery_shopper"))


def publish(chain: Chain, definition: dict[str, Any]) -> tuple[int, int]:
    return chain.db.write(lambda connection: catalogue.publish_form(connection, definition))


def test_publishing_the_same_again_makes_no_version_and_a_change_makes_the_next(any_chain: Chain) -> None:
    form_id, version_id = publish(any_chain, deepcopy(REVIEW))
    changed = deepcopy(REVIEW)
    changed["title"]["en"] = "Review"
    again_id, next_id = publish(any_chain, changed)
    assert again_id == form_id
    assert next_id != version_id
    assert publish(any_chain, deepcopy(changed)) == (form_id, next_id)
    with any_chain.db.read(SYSTEM) as session:
        assert session.scalar(sa.select(FormVersion.version).where(FormVersion.id == next_id)) == 2


def test_an_older_version_of_a_kiosk_s_form_is_still_taken(any_chain: Chain) -> None:
    """A kiosk that was offline answers the form it had."""
    with any_chain.db.read(SYSTEM) as session:
        at = catalogue.point_form(
            any_chain.db,
            session,
            session.scalars(sa.select(Point).where(Point.token == any_chain.token())).one(),
            "button",
            None,
        )
        definition = session.scalar(sa.select(FormVersion.definition).where(FormVersion.id == at.form_version_id))
    newer = deepcopy(definition)
    assert newer
    newer["sections"][0]["questions"] = [{**newer["sections"][0]["questions"][0], "type": "smiley5"}]
    publish(any_chain, newer)
    old, new = any_chain.item({"smiley": 4}), any_chain.item({"smiley": 5}, form_version=2)
    unknown = any_chain.item({"smiley": 5}, form_version=3)
    assert [outcome.status for outcome in any_chain.send(old, new, unknown)] == ["stored", "stored", "rejected"]
    wrong = any_chain.send(any_chain.item({"smiley": 5}))[0]
    assert wrong.problem is not None
    assert wrong.problem.code == "out_of_scale"
    assert catalogue.point_page(any_chain.db, any_chain.token(), "kiosk").at.version == 2


def test_a_point_without_a_form_for_a_page_has_no_such_page(any_chain: Chain) -> None:
    table = Point.__table__
    any_chain.db.write(lambda link: link.execute(sa.update(table).values(survey_form_id=None)))
    with pytest.raises(NotFound):
        catalogue.point_page(any_chain.db, any_chain.token(), "survey")
    with any_chain.db.read(SYSTEM) as session, pytest.raises(Problem):
        point = session.scalars(sa.select(Point).where(Point.token == any_chain.token())).one()
        catalogue.point_form(any_chain.db, session, point, "qr", None)


def test_of_a_device_token_only_its_hash_is_kept_and_its_making_is_on_record(any_chain: Chain) -> None:
    token = catalogue.create_device(any_chain.db, replace(SYSTEM, actor="anna@otklik.example"), "002", "shelf")
    with any_chain.db.read(SYSTEM) as session:
        device = session.scalars(sa.select(Device)).one()
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "device.create")).one()
    assert device.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert (event.actor, event.object) == ("anna@otklik.example", f"device:{device.id}")
    assert token not in str(event.details)
    sender = senders.device_sender(any_chain.db, token)
    assert sender is not None
    assert sender.device_id == device.id


@pytest.mark.parametrize(("store", "touchpoint"), [("999", "shelf"), ("001", "roof"), ("", "")])
def test_a_device_needs_a_place(any_chain: Chain, store: str, touchpoint: str) -> None:
    with pytest.raises(NotFound):
        catalogue.create_device(any_chain.db, SYSTEM, store, touchpoint)
