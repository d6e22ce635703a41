"""All tables, by subject."""

from feedback_app.storage.tables.chain import (
    Device,
    DevicePoint,
    DeviceState,
    Heartbeat,
    PairingCode,
    Picture,
    Point,
    Region,
    Store,
    StoreVersion,
    Touchpoint,
)
from feedback_app.storage.tables.forms import FormRow, FormVersion
from feedback_app.storage.tables.house import AuditEvent, Job, Setting
from feedback_app.storage.tables.people import Role, User, user_regions, user_roles, user_stores
from feedback_app.storage.tables.register import BookCounter, BookEntry, BookPhoto, RegisterHead, RegisterLink
from feedback_app.storage.tables.responses import Correction, MentionRow, Receipt, Response, Rollup, SentimentModel
from feedback_app.storage.tables.work import AnswerTemplate, Case, CaseAnswer, CaseResponse, CaseStep, Visit

__all__ = [
    "AnswerTemplate",
    "AuditEvent",
    "BookCounter",
    "BookEntry",
    "BookPhoto",
    "Case",
    "CaseAnswer",
    "CaseResponse",
    "CaseStep",
    "Correction",
    "Device",
    "DevicePoint",
    "DeviceState",
    "FormRow",
    "FormVersion",
    "Heartbeat",
    "Job",
    "MentionRow",
    "PairingCode",
    "Picture",
    "Point",
    "Receipt",
    "Region",
    "RegisterHead",
    "RegisterLink",
    "Response",
    "Role",
    "Rollup",
    "SentimentModel",
    "Setting",
    "Store",
    "StoreVersion",
    "Touchpoint",
    "User",
    "Visit",
    "user_regions",
    "user_roles",
    "user_stores",
]
