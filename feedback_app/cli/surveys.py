"""Commands for the QR surveys of the collection points."""

from __future__ import annotations

from datetime import datetime

import click

from feedback_app.cli import common


@click.group()
def survey() -> None:
    """Care for the QR surveys."""


@survey.command("set")
@click.option("--store", required=True, metavar="CODE")
@click.option("--touchpoint", required=True, metavar="KEY")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The survey's last day in the store.")
@click.option("--no-end", is_flag=True, help="The survey has no end.")
@click.option("--one-per-receipt/--many", default=None, help="Take one response per receipt, or any number.")
@click.option("--close/--open", "closed", default=None, help="Close the point, its kiosk page too, or open it again.")
def set_survey(
    store: str, touchpoint: str, until: datetime | None, no_end: bool, one_per_receipt: bool | None, closed: bool | None
) -> None:
    """Say until when a touchpoint's survey runs and how often a customer may answer; print how it stands."""
    from dataclasses import replace  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import surveys  # noqa: PLC0415  (start-up time of --help)

    if until and no_end:
        raise click.UsageError("--until and --no-end exclude each other.")
    change = surveys.Change(
        until=until.date() if until else None, endless=no_end, one_per_receipt=one_per_receipt, closed=closed
    )
    with common.database() as database:
        state = surveys.set_survey(database, replace(SYSTEM, actor="command line"), store, touchpoint, change)
    ends = f"ends with {state.until}" if state.until else "has no end"
    click.echo(f"The survey of store {store}, {touchpoint} ({'closed' if state.closed_at else 'open'}) {ends}.")
    click.echo("One response per receipt." if state.one_per_receipt else "Any number of responses.")
