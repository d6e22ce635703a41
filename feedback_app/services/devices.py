"""What a device is told about itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Problem
from feedback_app.domain.forms import Form, Question
from feedback_app.services import catalogue
from feedback_app.services.clock import now
from feedback_app.services.senders import Sender
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Device, Point


def describe_question(question: Question) -> dict[str, Any]:
    """Return a question as devices get it; what it does not have is left out."""
    raw: dict[str, Any] = {"key": question.key, "type": question.type, "text": dict(question.text)}
    raw["required"] = question.required
    if question.size:
        raw["max"] = question.size
    if question.labels:
        raw["labels"] = {value: dict(text) for value, text in question.labels.items()}
    if question.choices:
        raw["choices"] = [{"key": choice.key, "text": dict(choice.text)} for choice in question.choices]
    if question.type == "text":
        raw["max_length"] = question.max_length
    if question.show_if:
        raw["show_if"] = {name: value for name, value in asdict(question.show_if).items() if value is not None}
    return raw


def describe_form(form: Form, version: int) -> dict[str, Any]:
    """Return a form as devices get it."""
    return {
        "key": form.key,
        "version": version,
        "title": dict(form.title),
        "questions": [describe_question(question) for question in form.questions()],
    }


def describe(db: Database, sender: Sender) -> dict[str, Any]:
    """Return a device, its points with their newest forms, and the server's time."""
    described = []
    with db.read(SYSTEM) as session:
        device = session.get(Device, sender.device_id) if sender.device_id is not None else None
        query = sa.select(Point).where(Point.id.in_(sorted(sender.points)), Point.closed_at.is_(None))
        for point in session.scalars(query.order_by(Point.id)):
            try:
                at = catalogue.point_form(db, session, point, sender.channel, None)
            except Problem:
                continue
            described.append(
                {
                    "token": point.token,
                    "store": point.store.code,
                    "touchpoint": at.touchpoint,
                    "stage": at.stage,
                    "form": describe_form(at.form, at.version),
                }
            )
    name = {"id": device.id, "name": device.name} if device else None
    return {"device": name, "server_time": now().isoformat(), "points": described}
