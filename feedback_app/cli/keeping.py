"""Commands that keep a copy and bring it back: backup, restore."""

from __future__ import annotations

from pathlib import Path

import click

from feedback_app.cli import common


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write a consistent copy of everything into a file, while it is served too. The file holds the keys."""
    from feedback_app.services import backup as keeping  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        with common.progress(keeping.rows_in_all(database), "Copying") as step:
            rows = keeping.backup(database, file, common.settings().instance, step)
        click.echo(f"{file} holds {rows} rows, the keys and the anchors. Keep it where nobody else can read it.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what the database holds.")
def restore(file: Path, force: bool) -> None:
    """Bring a backup back into the database of the settings, all or nothing. Nothing may be served meanwhile."""
    from feedback_app.services import backup as keeping  # noqa: PLC0415  (start-up time of --help)

    with common.database(any_schema=True) as database, common.progress(keeping.rows_in(file), "Restoring") as step:
        restored = keeping.restore(database, file, common.settings().instance, force=force, step=step)
    click.echo(f"{restored.rows} rows were restored. Check the register with: otklik book verify")
    for name in restored.left:
        click.echo(f"{name} in the instance folder is another than in the backup, and was left as it is.")
