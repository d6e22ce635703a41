"""Prepare a checkout for work: Python check, virtual environment, libraries, browser, pins.

Called by the Makefile with the system's Python, before anything is installed: standard library only, and
nothing that Python 3.7 cannot parse, so that an old Python gets a sentence instead of a syntax error.
"""
# ruff: noqa: T201, S603, S607 -- a command line tool that speaks to its user and starts programs by name

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, Iterator, NoReturn, Sequence  # noqa: UP035 -- collections.abc[…] fails on Python 3.8

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "otklik.json"
OLDEST = (3, 11)
HEARTBEAT_SECONDS = 10
DEBIAN_PACKAGES = {
    "chromium": Path("/usr/bin/chromium"),
    "fonts-dejavu-core": Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
}
LOCK_HEADER = """\
# Exact versions of all run-time and test libraries, with what they need in turn.
# Made by `make lock` in a throw-away virtual environment from the ranges in pyproject.toml;
# change the ranges there, run `make lock`, then `make test`. Not edited by hand.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands venv, browser, lock, once; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    venv = commands.add_parser("venv", help="virtual environment with the libraries of the given extras")
    venv.add_argument("--extra", action="append", default=[], help="an extra of pyproject.toml")
    commands.add_parser("browser", help="Chromium and a font with Cyrillic, for the browser tests")
    commands.add_parser("lock", help="write constraints.txt anew")
    once = commands.add_parser("once", help="run a command while no other copy of it runs")
    once.add_argument("lock_file", type=Path)
    once.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if options.command == "once":
        return run_once(options.lock_file, options.program)
    if options.command == "browser":
        return prepare_browser()
    require_python()
    if options.command == "lock":
        return write_constraints()
    with locked(ROOT / "pyproject.toml"):
        return prepare_venv(frozenset(options.extra))


def require_python() -> None:
    """Stop with a sentence when Python is too old or cannot make virtual environments."""
    if sys.version_info < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        wanted = ".".join(str(part) for part in OLDEST)
        stop(
            f"Otklik needs Python {wanted} or newer; {sys.executable} is {found}.",
            "With a newer one installed beside it: make run PYTHON=python3.12",
        )
    with contextlib.suppress(ImportError):
        import ensurepip  # noqa: F401, PLC0415 -- Debian keeps it in a package of its own; asked for here
        import venv  # noqa: F401, PLC0415 -- likewise

        return
    command = "apt-get install python3-venv"
    stop(
        "This Python cannot make virtual environments: the package python3-venv is missing.",
        f"Install it with: {command if is_root() else 'sudo ' + command}",
    )


def prepare_venv(extras: frozenset[str]) -> int:
    """Make or refresh `.venv` so that it holds the libraries of the extras; nothing when it already does."""
    installed = read_stamp()
    digest = state_digest()
    fits = installed.get("digest") == digest and venv_works()
    if fits and extras <= set(installed.get("extras", [])):
        return 0
    if not venv_works() or installed.get("base", base()) != base():
        print("Making the virtual environment .venv …", flush=True)
        STAMP.unlink(missing_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        installed = {}
    wanted = sorted(extras | set(installed.get("extras", [])))
    print(f"Installing the libraries{' for ' + ', '.join(wanted) if wanted else ''} …", flush=True)
    target = f".[{','.join(wanted)}]" if wanted else "."
    STAMP.unlink(missing_ok=True)
    if not pip_install(VENV, "-c", "constraints.txt", "-e", target):
        return 1
    STAMP.write_text(json.dumps({"digest": digest, "extras": wanted, "base": base()}), encoding="utf-8")
    return 0


def read_stamp() -> dict:
    """Return what the last complete installation noted, or nothing."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def base() -> str:
    """Return what an environment cannot outlive: its scripts name the folder, its libraries the Python."""
    return f"{ROOT}, Python {sys.version}"


def state_digest() -> str:
    """Return a digest over all that decides what gets installed."""
    digest = hashlib.sha256(base().encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def venv_works() -> bool:
    """Tell whether the environment is whole: a creation that was cut off leaves one without pip."""
    python = VENV / "bin" / "python"
    try:
        done = subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def pip_install(venv: Path, *arguments: str) -> bool:
    """Install quietly, with a line now and then as a sign of life; show pip's last words on failure."""
    log = venv / "install.log"
    command = [
        str(venv / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        *arguments,
    ]
    started = time.monotonic()
    with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as pip:
        while True:
            try:
                pip.wait(timeout=HEARTBEAT_SECONDS)
                break
            except subprocess.TimeoutExpired:
                print(f"  still installing, {time.monotonic() - started:.0f} s", flush=True)
    if pip.returncode == 0:
        print(f"  installed in {time.monotonic() - started:.0f} s", flush=True)
        return True
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
    print("\n".join(tail), file=sys.stderr)
    print(f"The installation failed; all of pip's words are in {log}.", file=sys.stderr)
    return False


def prepare_browser() -> int:
    """See to Chromium and a Cyrillic font, with apt-get where that is allowed without asking."""
    missing = [package for package, path in DEBIAN_PACKAGES.items() if not path.exists()]
    if not missing:
        return 0
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    prefix = apt_prefix()
    if prefix is None:
        print(f"The browser tests need: {', '.join(missing)}.", file=sys.stderr)
        print(f"Install with: sudo {' '.join(command)}", file=sys.stderr)
        return 1
    print(f"Installing {', '.join(missing)} with apt-get …", flush=True)
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    for step in (["apt-get", "update", "-qq"], [command[0], "-qq", *command[1:]]):
        if subprocess.run([*quiet, *step], stdout=subprocess.DEVNULL, check=False).returncode:
            print(f"This failed: {' '.join(step)}", file=sys.stderr)
            return 1
    return 0


def apt_prefix() -> list[str] | None:
    """Return what to put before apt-get: nothing for root, sudo where it asks nothing, None if neither."""
    if shutil.which("apt-get") is None:
        return None
    if is_root():
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo", "-n"] if allowed else None


def write_constraints() -> int:
    """Resolve the ranges of pyproject.toml in a throw-away environment and pin what came out."""
    with tempfile.TemporaryDirectory(prefix="otklik-lock-") as folder:
        venv = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        if not pip_install(venv, "-e", ".[tests]"):
            return 1
        command = [str(venv / "bin" / "python"), "-m", "pip", "freeze", "--exclude-editable"]
        frozen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (ROOT / "constraints.txt").write_text(LOCK_HEADER + frozen, encoding="utf-8")
    print(f"constraints.txt now pins {len(frozen.splitlines())} libraries.")
    return 0


def run_once(lock_file: Path, program: Sequence[str]) -> int:
    """Run the program while holding the lock; a second caller waits, then runs it too.

    The program holds the lock as well: when only this process is killed, the next one still waits for it.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock_file.touch()
    with locked(lock_file) as handle:
        command = [part for part in program if part != "--"]
        return subprocess.run(command, pass_fds=[handle.fileno()], check=False).returncode


@contextlib.contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """Hold an advisory lock on an existing file; the system lets go of it however the holder ends."""
    with path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Another make is preparing the same folder; waiting for it …", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle


def is_root() -> bool:
    """Tell whether this process may install packages itself."""
    return os.geteuid() == 0


def stop(*lines: str) -> NoReturn:
    """End with a message and status 1."""
    print("\n".join(lines), file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
