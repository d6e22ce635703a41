"""`python -m tests.soak`: the long soak, with its summary as JSON on the last line."""

from __future__ import annotations

import json
import secrets
import tempfile
from pathlib import Path

import click

from feedback_app.storage.database import Database
from tests.builders import lay_chain
from tests.soak.soak import soak


@click.command()
@click.option("--seed", type=int, default=None, help="Repeats the faults of an earlier run; drawn where it is missing.")
@click.option("--minutes", type=float, default=20, show_default=True)
@click.option("--taps", type=int, default=10_000, show_default=True, help="How many at least.")
@click.option("--rhythm", type=float, default=12, show_default=True, help="Seconds between faults on average.")
def main(seed: int | None, minutes: float, taps: int, rhythm: float) -> None:
    """Let three kiosks tap while lines break and the server is killed; fail where an answer is lost or doubled."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    click.echo(f"soak of {minutes:g} minutes, seed {seed}")
    with tempfile.TemporaryDirectory(prefix="otklik-soak-") as folder:
        database = Path(folder) / "template.db"
        db = Database(f"sqlite:///{database}")
        lay_chain(db)
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        click.echo(
            json.dumps(soak(Path(folder) / "server", database, seed=seed, minutes=minutes, taps=taps, rhythm=rhythm))
        )


main()
