"""The soak in its short form; `make soak` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soak import soak

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEED = 20_260_401


def test_a_short_while_of_breaking_lines_and_kills_loses_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    """Shows that three kiosks at full pace lose and double nothing while lines are cut and the server is killed."""
    summary = soak(tmp_path / "server", sqlite_template, seed=SEED, minutes=0.2, taps=120, rhythm=1.5)
    assert summary["kills"], summary
    assert summary["cuts"], summary
    assert summary["taps"] == summary["thanked"] == summary["stored"], summary
    assert int(str(summary["taps"])) >= 80, summary
