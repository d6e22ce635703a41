"""Triggers by which the database itself refuses to change what must not change."""

from __future__ import annotations

from collections.abc import Iterator

FROZEN_TABLES = ("form_versions", "audit_events")
"""Rows of these are written once: published forms and the audit trail."""

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION otklik_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is written once', TG_TABLE_NAME; END $$
"""


def statements(dialect: str) -> Iterator[str]:
    """Yield the statements that freeze the tables, in the words of a dialect."""
    if dialect == "postgresql":
        yield _POSTGRESQL_FUNCTION
    for table in FROZEN_TABLES:
        for action in ("UPDATE", "DELETE"):
            name = f"{table}_no_{action.lower()}"
            if dialect == "postgresql":
                yield (
                    f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION otklik_refuse()"
                )
            else:
                yield (
                    f"CREATE TRIGGER {name} BEFORE {action} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is written once'); END"
                )
