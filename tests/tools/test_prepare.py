"""`make` on a fresh machine: what is missing is installed where that is allowed, and named where it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import prepare

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """A folder of programs that note how they were called, as the only PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("PATH", str(folder))
        self.program("env", 'shift\nexec "$@"')

    def program(self, name: str, does: str = "exit 0") -> None:
        """Put a program on the PATH."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.calls}"\n{does}\n')
        path.chmod(0o755)

    def lacks(self, *packages: str) -> None:
        """Take Debian packages away; the others are there."""
        present = self.folder / "calls"
        present.touch()
        absent = self.folder / "absent"
        known = {name: absent if name in packages else present for name in prepare.DEBIAN_PACKAGES}
        self._monkeypatch.setattr(prepare, "DEBIAN_PACKAGES", known)

    def user(self, root: bool) -> None:
        """Run as root or as somebody else."""
        self._monkeypatch.setattr(prepare, "is_root", lambda: root)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_nothing_is_installed_when_nothing_is_missing(machine: Machine) -> None:
    machine.program("apt-get")
    machine.lacks()
    assert prepare.prepare_browser() == 0
    assert machine.calls.read_text() == ""


def test_root_installs_what_is_missing_and_no_more(machine: Machine) -> None:
    machine.program("apt-get")
    machine.lacks("fonts-dejavu-core")
    machine.user(root=True)
    assert prepare.prepare_browser() == 0
    assert "apt-get -qq install -y --no-install-recommends fonts-dejavu-core\n" in machine.calls.read_text()
    assert "chromium" not in machine.calls.read_text()


def test_sudo_is_used_where_it_asks_for_no_password(machine: Machine) -> None:
    machine.program("apt-get")
    machine.program("sudo", 'shift\n[ "$1" = true ] || exec "$@"')
    machine.lacks("chromium")
    machine.user(root=False)
    assert prepare.prepare_browser() == 0
    assert "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get" in machine.calls.read_text()
    assert "apt-get -qq install -y --no-install-recommends chromium\n" in machine.calls.read_text()


def test_without_the_right_to_install_the_command_is_named(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.program("apt-get")
    machine.program("sudo", "exit 1")
    machine.lacks("chromium")
    machine.user(root=False)
    assert prepare.prepare_browser() == 1
    assert "sudo apt-get install -y --no-install-recommends chromium" in capsys.readouterr().err
    assert "apt-get" not in machine.calls.read_text()


def test_a_failed_installation_fails_the_preparation(machine: Machine) -> None:
    machine.program("apt-get", "exit 100")
    machine.lacks("chromium")
    machine.user(root=True)
    assert prepare.prepare_browser() == 1


def test_an_old_python_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SystemExit, match="1"):
        prepare.require_python()
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_a_missing_python3_venv_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match="1"):
        prepare.require_python()
    assert "apt-get install python3-venv" in capsys.readouterr().err


def test_two_copies_run_one_after_the_other(tmp_path: Path) -> None:
    lock, notes = tmp_path / "lock", tmp_path / "notes"
    program = f'echo in >> "{notes}"; sleep 0.3; echo out >> "{notes}"'
    command = [sys.executable, str(ROOT / "tools" / "prepare.py"), "once", str(lock), "--", "/bin/sh", "-c", program]
    copies = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [copy.wait(timeout=30) for copy in copies] == [0, 0]
    assert notes.read_text().split() == ["in", "out", "in", "out"]


def test_a_killed_copy_holds_nobody_up(tmp_path: Path) -> None:
    lock, started = tmp_path / "lock", tmp_path / "started"
    command = [sys.executable, str(ROOT / "tools" / "prepare.py"), "once", str(lock), "--"]
    program = f'touch "{started}"; exec sleep 30'
    killed = subprocess.Popen([*command, "/bin/sh", "-c", program], start_new_session=True)
    while not started.exists():
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert subprocess.run([*command, "true"], timeout=10, check=False).returncode == 0


def test_a_program_left_behind_is_waited_for(tmp_path: Path) -> None:
    lock, notes = tmp_path / "lock", tmp_path / "notes"
    command = [sys.executable, str(ROOT / "tools" / "prepare.py"), "once", str(lock), "--", "/bin/sh", "-c"]
    killed = subprocess.Popen([*command, f'echo in >> "{notes}"; sleep 0.5; echo out >> "{notes}"'])
    while not notes.exists():
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    subprocess.run([*command, f'echo in >> "{notes}"'], stdout=subprocess.DEVNULL, timeout=10, check=True)
    assert notes.read_text().split() == ["in", "out", "in"]


def test_other_pins_mean_another_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "constraints.txt").write_text("click==8.2.0")
    before = prepare.state_digest()
    assert prepare.state_digest() == before
    (tmp_path / "constraints.txt").write_text("click==8.2.1")
    assert prepare.state_digest() != before
