"""Commands that bring data in, and recount it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from feedback_app.cli import common

REFUSED_SHOWN = 20


@click.group("import")
def import_group() -> None:
    """Bring data in from files."""


@import_group.command("reviews")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--store", metavar="CODE", help="The store of rows that name none.")
@click.option("--touchpoint", metavar="KEY", help="The touchpoint of rows that name none.")
@click.option("--date", "moment", callback=common.moment, metavar="DATE", help="The time of rows that have none.")
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows and leave the bad ones out.")
@click.pass_context
def import_reviews(
    context: click.Context,
    file: Path,
    store: str | None,
    touchpoint: str | None,
    moment: datetime | None,
    dry_run: bool,
    skip_bad: bool,
) -> None:
    """Import customers' reviews from a .csv or .csv.gz with a column `text`."""
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import reviews  # noqa: PLC0415  (start-up time of --help)

    rows = reviews.count_rows(file)
    with common.database() as database, common.progress(rows, "Scoring reviews") as step:
        report = reviews.import_reviews(
            database,
            replace(SYSTEM, actor="command line"),
            file,
            reviews.Defaults(store, touchpoint, moment),
            dry_run=dry_run,
            skip_bad=skip_bad,
            progress=step,
        )
    for refused in report.refused:
        click.echo(f"line {refused.line}, {refused.column}: {common.explain(refused.problem)}", err=True)
    words = f"{report.read} rows read, {report.stored} stored, {report.duplicates} there already"
    click.echo(f"{words}, {len(report.refused)} refused.")
    if dry_run:
        click.echo("Nothing was written: this was a dry run.")
    elif not report.written:
        click.echo("Nothing was written. Mend the rows above, or leave them out with --skip-bad.")
    if report.refused and not skip_bad:
        context.exit(1)


@import_group.command("responses")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@click.option("--skip-bad", is_flag=True, help="Import the good items and leave the bad ones out.")
@click.pass_context
def import_responses(context: click.Context, file: Path, dry_run: bool, skip_bad: bool) -> None:
    """Import what a kiosk exported, or items of the device API, from a .json, .jsonl or one of them in .gz.

    Whether a receipt was used before shows at the write alone, so that neither the check nor a dry run tells of it.
    """
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import queue_import  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        found = queue_import.look(file)
        with common.progress(found.count * (1 if dry_run else 2), "Importing responses") as step:
            access = replace(SYSTEM, actor="command line")
            report = queue_import.import_queue(
                database, access, found, dry_run=dry_run, skip_bad=skip_bad, progress=step
            )
    for refused in report.refused:
        aside = "set aside, " if refused.among == queue_import.ASIDE else ""
        place = f"line {refused.line}, {aside}item {refused.number}, {refused.field}"
        click.echo(f"{place}: {common.explain(refused.problem)}", err=True)
    stored = f"{report.stored} {'stored' if report.written else 'would be stored'}"
    words = f"{report.read} items read, {stored}, {report.duplicates} there already"
    click.echo(f"{words}, {len(report.refused)} refused.")
    if dry_run:
        click.echo("Nothing was written: this was a dry run.")
    elif not report.written:
        click.echo("Nothing was written. Mend the items above, or leave them out with --skip-bad.")
    if report.refused and not skip_bad:
        context.exit(1)


@click.command()
def rescore() -> None:
    """Score and locate all texts anew with the model and the chain's own mapping in place."""
    from feedback_app.services import counting, own_aspects  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        for wrong in own_aspects.wrong(database):
            raise click.ClickException(f"{wrong.path}: {wrong.reason}. Nothing was scored; mend it first.")
        total = counting.responses_in_all(database, with_comment=True)
        with common.progress(total, "Scoring texts anew") as step:
            changed = counting.rescore(database, step)
    click.echo(f"{total} texts scored, {changed} changed.")


@click.group()
def rollup() -> None:
    """Care for the counts that pages read."""


@rollup.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Compare the rollups with the raw responses; exit 1 where they differ."""
    from feedback_app.services import counting  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        total = counting.responses_in_all(database)
        with common.progress(total, "Recounting") as step:
            different = counting.verify(database, step)
    for key, kept, counted in different[:REFUSED_SHOWN]:
        click.echo(f"{key}: kept {tuple(kept)}, counted {tuple(counted)}", err=True)
    if different:
        click.echo(f"{len(different)} cells differ from {total} responses. Mend them with: otklik rollup rebuild")
        context.exit(1)
    click.echo(f"The rollups equal a recount of {total} responses.")


@rollup.command()
def rebuild() -> None:
    """Count the rollups anew from the raw responses."""
    from feedback_app.services import counting  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database, common.progress(counting.responses_in_all(database), "Recounting") as step:
        count = counting.rebuild(database, step)
    click.echo(f"{count} cells counted anew.")
