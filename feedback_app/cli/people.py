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


@device.command("list")
@click.option("--store", metavar="CODE", help="This store's devices alone.")
def list_devices(store: str | None) -> None:
    """List the devices of the fleet, those in need first: id, name, place, state, last heard, answers that wait."""
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import catalogue, fleet  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        if store is not None:
            catalogue.store_page(database, store)
        found = [one for one in fleet.kiosks(database, SYSTEM) if store in (None, one.store_code)]
    if not found:
        click.echo("No device is paired.")
    for one in found:
        place = f"{one.store_code}/{one.touchpoint or '(closed)'}"
        states = ", ".join(state.replace("_", " ") for state in one.states) or "well"
        seen = one.facts.seen_at.isoformat(timespec="seconds") if one.facts.seen_at else "never"
        waiting = f"{one.facts.queue_length} waiting"
        click.echo("\t".join((str(one.id), one.name, place, states, seen, waiting)))


@device.command("code")
@click.option("--store", required=True, metavar="CODE")
@click.option("--touchpoint", required=True, metavar="KEY")
@click.option("--device", "device_id", type=click.IntRange(1, 2**31 - 1), help="The device it moves or replaces.")
def make_code(store: str, touchpoint: str, device_id: int | None) -> None:
    """Make a pairing code for a store's touchpoint; the last line printed is the code, shown this once."""
    from dataclasses import replace  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import pairing  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        access = replace(SYSTEM, actor="command line")
        made = pairing.make_code(database, access, store, touchpoint, device_id)
        click.echo(f"Type it into the kiosk at /k/{made.spot.token} until {made.expires_at:%H:%M} UTC.")
        click.echo(made.code)


@device.command("revoke")
@click.argument("device_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
def revoke_device(device_id: int) -> None:
    """Take a device out of the fleet: its token opens nothing any more; what it delivered stays."""
    from dataclasses import replace  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import devices  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        devices.revoke(database, replace(SYSTEM, actor="command line"), device_id)
        click.echo(f"Device {device_id} is out of the fleet.")
