"""All tables, by subject."""

from feedback_app.storage.tables.chain import Device, DevicePoint, Point, Region, Store, StoreVersion, Touchpoint
from feedback_app.storage.tables.forms import FormRow, FormVersion
from feedback_app.storage.tables.house import AuditEvent, Job, Setting
from feedback_app.storage.tables.people import Role, User, user_regions, user_roles, user_stores
from feedback_app.storage.tables.responses import MentionRow, Response, Rollup
from feedback_app.storage.tables.work import BookCounter, BookEntry, Case, Visit

__all__ = [
    "AuditEvent",
    "BookCounter",
    "BookEntry",
    "Case",
    "Device",
    "DevicePoint",
    "FormRow",
    "FormVersion",
    "Job",
    "MentionRow",
    "Point",
    "Region",
    "Response",
    "Role",
    "Rollup",
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
