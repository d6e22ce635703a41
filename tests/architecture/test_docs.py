"""The documentation names every command, no command that is not there, and leads nowhere wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from feedback_app.cli import main
from feedback_app.config import NAMES

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
HEADING = re.compile(r"^#+ `otklik ([a-z][a-z -]*[a-z])", re.MULTILINE)


def commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    """Yield the names of all commands as they are typed, without `otklik`."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        elif not command.hidden:
            yield prefix + name


def test_every_command_has_its_heading() -> None:
    assert sorted(set(commands(main)) - set(HEADING.findall(COMMANDS))) == []


def test_no_command_is_promised_that_is_not_there() -> None:
    assert sorted(set(HEADING.findall(COMMANDS)) - set(commands(main))) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_setting_is_in_the_table_of_operations() -> None:
    table = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in (*NAMES, "OTKLIK_INSTANCE") if f"| `{name}`" not in table] == []
