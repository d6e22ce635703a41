"""Commands that make a database: db upgrade, demo."""

from __future__ import annotations

import click

from feedback_app.cli import common


@click.group()
def db() -> None:
    """Care for the database's schema."""


@db.command()
def upgrade() -> None:
    """Migrate the database to the newest schema."""
    from feedback_app.services import register  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.storage import migrate  # noqa: PLC0415  (start-up time of --help)

    with common.database(any_schema=True) as database:
        taken = register.upgrade(database)
        click.echo(f"The schema is at {migrate.current(database)}.")
        if taken:
            click.echo(f"{taken} entries and cases were taken into the register.")


@click.command()
@click.option("--stores", type=click.IntRange(1, 24), default=12, show_default=True, help="How many stores.")
@click.option("--days", type=click.IntRange(1, 730), default=90, show_default=True, help="How many days back.")
@click.option("--responses", type=click.IntRange(1, 5_000_000), default=50_000, show_default=True, help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed builds the same chain.")
@click.option("--if-missing", is_flag=True, help="Do nothing where a whole demo chain is there already.")
def demo(stores: int, days: int, responses: int, seed: int, if_missing: bool) -> None:
    """Build a demo chain in the database of the settings, in place of a demo that is there already."""
    from flask_security import hash_password  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.app import create_app  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import demo as builder  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import register  # noqa: PLC0415  (start-up time of --help)

    with common.database(any_schema=True) as database:
        register.upgrade(database)
        if if_missing and builder.is_whole(database):
            return
        if builder.is_whole(database):
            click.echo("The former demo chain is replaced: its devices, users and imports are gone.")
        with create_app().app_context():
            hashed = hash_password(builder.PASSWORD)
        plan = builder.Plan(stores=stores, days=days, responses=responses, seed=seed)
        with common.progress(responses, "Building the demo chain") as step:
            built = builder.build(database, plan, hashed, step)
        click.echo(f"A demo chain of {built.stores} stores with {built.responses} responses is ready.")
