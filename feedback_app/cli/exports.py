"""Commands that write data to files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from feedback_app.cli import common


@click.group("export")
def export_group() -> None:
    """Write data to files."""


def _of_a_span(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the file and the options that all exports share."""
    for option in (
        click.option("--store", metavar="CODE", help="This store alone."),
        click.option("--until", callback=common.moment, metavar="DATE", help="Before this time (UTC)."),
        click.option("--since", callback=common.moment, metavar="DATE", help="From this time on (UTC)."),
        click.argument("file", type=click.Path(dir_okay=False, path_type=Path)),
    ):
        command = option(command)
    return command


@export_group.command("responses")
@_of_a_span
def export_responses(file: Path, since: datetime | None, until: datetime | None, store: str | None) -> None:
    """Write responses to a .csv, .jsonl or .xlsx file."""
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import exchange  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        total = exchange.count_responses(database, SYSTEM, since=since, until=until, store=store)
        with common.progress(total, "Writing responses") as step:
            count = exchange.export_responses(
                database, SYSTEM, file, since=since, until=until, store=store, progress=step
            )
    click.echo(f"{count} responses written to {file}.")


@export_group.command("book")
@_of_a_span
def export_book(file: Path, since: datetime | None, until: datetime | None, store: str | None) -> None:
    """Write the entries of the feedback books to a .csv, .jsonl or .xlsx file."""
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import export_book as exchange  # noqa: PLC0415  (start-up time of --help)

    span = exchange.Span(since, until, store)
    with common.database() as database:
        total = exchange.count_entries(database, SYSTEM, span)
        with common.progress(total, "Writing entries") as step:
            count = exchange.export_entries(database, SYSTEM, file, span, step)
    click.echo(f"{count} entries written to {file}.")


@export_group.command("cases")
@_of_a_span
def export_cases(file: Path, since: datetime | None, until: datetime | None, store: str | None) -> None:
    """Write cases to a .csv, .jsonl or .xlsx file."""
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import export_book as exchange  # noqa: PLC0415  (start-up time of --help)

    span = exchange.Span(since, until, store)
    with common.database() as database:
        total = exchange.count_cases(database, SYSTEM, span)
        with common.progress(total, "Writing cases") as step:
            count = exchange.export_cases(database, SYSTEM, file, span, step)
    click.echo(f"{count} cases written to {file}.")
