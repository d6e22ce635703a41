"""The fleet at the terminal: list it, make a code, take a device out."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner, Result

from feedback_app.cli import main
from feedback_app.domain.access import SYSTEM
from feedback_app.services import devices, fleet, pairing, senders
from tests.builders import Chain

Run = Callable[..., Result]


@pytest.fixture
def run(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a device command in this process, on the chain of the test."""
    for name in [name for name in os.environ if name.startswith("OTKLIK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OTKLIK_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("OTKLIK_DATABASE_URL", chain.db.engine.url.render_as_string(hide_password=False))

    def command(*arguments: object) -> Result:
        result = CliRunner().invoke(main, ["device", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command


def only_device(chain: Chain) -> int:
    (found,) = fleet.kiosks(chain.db, SYSTEM)
    return found.id


def test_a_code_is_the_last_line_and_pairs_a_tablet(run: Run, chain: Chain) -> None:
    result = run("code", "--store", "002", "--touchpoint", "exit")
    assert result.exit_code == 0
    first, code = result.output.splitlines()
    assert chain.token("002", "exit") in first
    assert code not in first
    paired = pairing.redeem(chain.db, code, secrets.token_urlsafe(32), [])
    assert paired.spot.store_code == "002"


def test_a_code_for_a_device_moves_or_replaces_it(run: Run, chain: Chain) -> None:
    chain.device("001")
    device_id = only_device(chain)
    code = run("code", "--store", "003", "--touchpoint", "shelf", "--device", device_id).output.splitlines()[-1]
    assert pairing.redeem(chain.db, code, secrets.token_urlsafe(32), []).device_id == device_id
    assert [one.store_code for one in fleet.kiosks(chain.db, SYSTEM)] == ["003"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("code", "--store", "999", "--touchpoint", "exit"), "There is no such store"),
        (("code", "--store", "001", "--touchpoint", "moon"), "There is no such touchpoint"),
        (("code", "--store", "001", "--touchpoint", "exit", "--device", "7"), "There is no such device"),
        (("revoke", "7"), "There is no such device"),
        (("list", "--store", "999"), "There is no such store"),
    ],
)
def test_what_is_not_there_is_named(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert words in result.stderr


@pytest.mark.parametrize("device_id", ["0", "-1", "x", "99999999999999999999"])
def test_an_id_that_cannot_be_is_a_wrong_command_line(run: Run, device_id: str) -> None:
    assert run("revoke", device_id).exit_code == 2


def test_the_list_names_those_in_need_first(run: Run, chain: Chain) -> None:
    assert run("list").output == "No device is paired.\n"
    for store in ("001", "002"):
        chain.device(store)
    well, silent = sorted(one.id for one in fleet.kiosks(chain.db, SYSTEM))
    devices.change(chain.db, replace(SYSTEM, actor="test"), well, name="By the bread")
    fleet.beat(chain.db, well, {}, None)
    with time_machine.travel(datetime.now(UTC) - timedelta(days=3)):
        fleet.beat(chain.db, silent, {"queue_length": 12}, None)
    first, second = (line.split("\t") for line in run("list").output.splitlines())
    assert (first[0], first[2], first[3], first[5]) == (str(silent), "002/checkout", "silent", "12 waiting")
    assert (second[1], second[3]) == ("By the bread", "well")
    assert datetime.fromisoformat(first[4]) < datetime.now(UTC) - timedelta(days=2)
    assert len(run("list", "--store", "001").output.splitlines()) == 1


def test_a_revoked_device_opens_nothing(run: Run, chain: Chain) -> None:
    token = chain.device()
    device_id = only_device(chain)
    assert run("revoke", device_id).output == f"Device {device_id} is out of the fleet.\n"
    assert senders.device_sender(chain.db, token) is None
    assert fleet.kiosks(chain.db, SYSTEM) == []
