"""The otklik commands.

Each command imports what it needs when it runs: `otklik --help` must not wait for Flask, SQLAlchemy or matplotlib.
"""

from __future__ import annotations

import os

import click

from feedback_app.cli import book, checks, data, exports, keeping, people, schema, serving, surveys, tls, training
from feedback_app.cli.common import version


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="otklik")
@click.pass_context
def main(context: click.Context) -> None:
    """Otklik: what customers live through in shops with a door."""
    former = os.umask(0o077)  # what a command writes may hold personal data: it is its owner's alone
    context.call_on_close(lambda: os.umask(former))


for command in (
    schema.db,
    schema.demo,
    serving.serve,
    serving.worker,
    tls.tls,
    people.user,
    people.device,
    surveys.survey,
    data.import_group,
    exports.export_group,
    data.rescore,
    training.train,
    data.rollup,
    book.book,
    keeping.backup,
    keeping.restore,
    checks.doctor,
):
    main.add_command(command)
