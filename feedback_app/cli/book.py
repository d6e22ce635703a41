"""Commands of the feedback book's register."""

from __future__ import annotations

import json

import click

from feedback_app.cli import common


@click.group()
def book() -> None:
    """Care for the register of the feedback books."""


@book.command()
@click.option("--store", metavar="CODE", help="This store's chain alone.")
@click.option("--describe", is_flag=True, help="Print the tables and columns that are protected, as JSON, and stop.")
@click.pass_context
def verify(context: click.Context, store: str | None, describe: bool) -> None:
    """Check every chain, every protected row and every anchor; exit 1 and name the first that is wrong in a store."""
    from feedback_app.services import register  # noqa: PLC0415  (start-up time of --help)

    if describe:
        click.echo(json.dumps(register.describe(), indent=2))
        return
    with common.database() as database:
        total = register.links_in_all(database, store)
        with common.progress(total, "Verifying") as step:
            verified = register.verify(database, store, step)
    for note in verified.notes:
        click.echo(f"note: {note}")
    for finding in verified.findings:
        click.echo(str(finding), err=True)
    if verified.findings:
        click.echo(f"The register is not whole: {len(verified.findings)} findings, the first of each store.")
        context.exit(1)
    words = f"{verified.links} links and {verified.entries} entries of {verified.stores} stores"
    click.echo(f"The register is whole: {words}.")


@book.command()
@click.option("--store", metavar="CODE", help="This store's chain alone.")
def heads(store: str | None) -> None:
    """Print how far every chain reaches, to keep on paper or elsewhere: it vouches for all before it."""
    from feedback_app.services import register  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services.clock import now  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        found = register.heads(database, store)
        click.echo(f"The register's heads at {now():%Y-%m-%d %H:%M:%S} UTC")
        for code, count, link in found:
            click.echo(f"{code}\t{count}\t{link}")
