"""Staff say at the terminal until when a survey runs, and how often a customer may answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from feedback_app.cli import main
from feedback_app.services import catalogue
from feedback_app.services.catalogue import EndedSurvey, PointPage
from feedback_app.services.clock import now
from feedback_app.storage.database import Database
from tests.builders import Chain, open_chain

EXIT = ("--store", "001", "--touchpoint", "exit")


@pytest.fixture
def laid(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    """The commands' database holds the chain of the tests."""
    monkeypatch.setenv("OTKLIK_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("OTKLIK_DATABASE_URL", sqlite_url)
    db = Database(sqlite_url)
    yield open_chain(db)
    db.close()


def set_survey(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["survey", "set", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def survey(chain: Chain) -> PointPage | EndedSurvey:
    return catalogue.survey_page(chain.db, chain.token("001", "exit"), now())


def test_a_survey_gets_its_last_day_and_loses_it_again(laid: Chain) -> None:
    result = set_survey(*EXIT, "--until", "2026-03-31")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "The survey of store 001, exit (open) ends with 2026-03-31."
    assert isinstance(survey(laid), EndedSurvey)
    assert "has no end" in set_survey(*EXIT, "--no-end").output
    assert isinstance(survey(laid), PointPage)


def test_a_receipt_counts_once_where_staff_want_it_so(laid: Chain) -> None:
    assert set_survey(*EXIT, "--one-per-receipt").output.endswith("One response per receipt.\n")
    found = survey(laid)
    assert isinstance(found, PointPage)
    assert found.at.one_per_receipt
    assert set_survey(*EXIT, "--many").output.endswith("Any number of responses.\n")


def test_a_point_is_closed_and_opened_again(laid: Chain) -> None:
    assert "(closed)" in set_survey(*EXIT, "--close").output
    assert isinstance(survey(laid), EndedSurvey)
    assert "(open)" in set_survey(*EXIT, "--open").output
    assert isinstance(survey(laid), PointPage)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--store", "999", "--touchpoint", "exit"), 1, "There is no such store"),
        (("--store", "001", "--touchpoint", "roof"), 1, "There is no such touchpoint"),
        ((*EXIT, "--until", "tomorrow"), 2, "--until"),
        ((*EXIT, "--until", "9999-12-31"), 1, "until: must be between 0001-01-01 and 9999-12-30"),
        ((*EXIT, "--until", "2026-03-31", "--no-end"), 2, "exclude each other"),
    ],
)
def test_what_cannot_be_is_said(laid: Chain, arguments: tuple[str, ...], status: int, said: str) -> None:
    result = set_survey(*arguments)
    assert (result.exit_code, said in result.output) == (status, True), result.output
