"""The layers hold: who may import whom, no cycles, a domain of the standard library alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("feedback_app", "kiosk", "analysis")
LOAD_ANALYSIS = """
import importlib, pkgutil, sys
import analysis
for module in pkgutil.walk_packages(analysis.__path__, "analysis."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
print(*sorted(name for name in sys.modules if name.startswith("feedback_app.")))
"""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)


def test_the_contracts_of_pyproject_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename="pyproject.toml", no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_no_module_imports_itself_by_a_detour(graph: grimp.ImportGraph) -> None:
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert cycle(imports) == []


def test_a_detour_is_found() -> None:
    assert set(cycle({"map": {"stage"}, "stage": {"segment"}, "segment": {"map"}})) == {"map", "stage", "segment"}


def test_analysis_runs_without_flask_and_database() -> None:
    command = [sys.executable, "-c", LOAD_ANALYSIS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded, ours = (set(line.split()) for line in done.stdout.splitlines())
    assert loaded & {"flask", "werkzeug", "sqlalchemy", "wtforms", "kiosk"} == set()
    assert {name for name in ours if not name.startswith("feedback_app.domain")} == set()


def test_the_domain_imports_the_standard_library_alone() -> None:
    strangers = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "feedback_app" / "domain").rglob("*.py"))
        for name in imported(path)
        if name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("feedback_app.domain")
    ]
    assert strangers == []


def test_the_package_itself_holds_a_docstring_only() -> None:
    tree = ast.parse((ROOT / "feedback_app" / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of the modules a file imports."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            yield ".".join([*above, *([node.module] if node.module else [])])


def cycle(imports: dict[str, set[str]]) -> list[str]:
    """Return one cycle as a list of modules, empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
