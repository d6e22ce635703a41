"""Commands for users and devices."""

from __future__ import annotations

import sys

import click

from feedback_app.cli import common

ROLES = ("admin", "director", "manager", "coordinator", "mystery_shopper")
PASSWORD_LENGTH = 8


@click.group()
def user() -> None:
    """Care for the people who sign in."""


def _password(from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < PASSWORD_LENGTH:
        raise click.ClickException(f"The password needs at least {PASSWORD_LENGTH} characters.")
    return password


@user.command("create")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--store", "stores", multiple=True, metavar="CODE", help="A store the user sees; may be repeated.")
@click.option("--region", "regions", multiple=True, metavar="CODE", help="A region the user sees; may be repeated.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def create_user(email: str, role: str, stores: tuple[str, ...], regions: tuple[str, ...], password_stdin: bool) -> None:
    """Create a user with a role and a scope."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  (start-up time of --help)
    from flask_security import hash_password  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.app import create_app  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import users  # noqa: PLC0415  (start-up time of --help)

    try:
        address = validate_email(email, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError as error:
        raise click.ClickException(f"{email} is not an e-mail address: {error}") from error
    with common.database() as database:
        users.check_scope(database, address, role, stores, regions)
        password = _password(password_stdin)
        with create_app().app_context():
            hashed = hash_password(password)
        database.write(
            lambda connection: users.create_user(
                connection, address, hashed, role, stores=stores, regions=regions, actor="command line"
            )
        )
        click.echo(f"Created {address} as {role}.")


@click.group()
def device() -> None:
    """Care for kiosks and other devices."""


@device.command("create")
@click.option("--store", required=True, metavar="CODE")
@click.option("--touchpoint", required=True, metavar="KEY")
def create_device(store: str, touchpoint: str) -> None:
    """Create a device for a store's touchpoint; the last line printed is its token, shown this once."""
    from dataclasses import replace  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import catalogue  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        token = catalogue.create_device(database, replace(SYSTEM, actor="command line"), store, touchpoint)
        click.echo(f"A device for store {store}, {touchpoint}. Keep its token; it is not shown again.")
        click.echo(token)
