"""The benchmark suite finds its benchmarks and keeps what they measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import benchmarks.__main__ as suite


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(suite, "HERE", tmp_path)
    monkeypatch.setattr(suite, "RESULTS", tmp_path / "results")
    source = 'def run() -> dict[str, float]:\n    return {"grouped commits / single commits": 1.5}\n'
    (tmp_path / "bench_writer_of_a_test.py").write_text(source)
    monkeypatch.setattr("benchmarks.__path__", [str(tmp_path)])
    return tmp_path


def test_figures_are_printed_and_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.main([]) == 0
    kept = json.loads((folder / "results" / "writer_of_a_test.json").read_text())
    assert kept["figures"] == {"grouped commits / single commits": 1.5}
    assert "1.5" in capsys.readouterr().out
    assert suite.main(["writer_of_a_test"]) == 0
    assert "x1.00 of the run before" in capsys.readouterr().out
    sys.modules.pop("benchmarks.bench_writer_of_a_test")


def test_an_unknown_benchmark_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.main(["coffee"]) == 2
    assert "no such benchmark: coffee" in capsys.readouterr().err
