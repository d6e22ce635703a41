"""The commands as processes: started in groups of their own, watched from outside, ended after the test."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

OTKLIK = str(Path(sys.executable).with_name("otklik"))
Start = Callable[..., "subprocess.Popen[str]"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path, sqlite_url: str) -> dict[str, str]:
    """The settings of the served chain."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTKLIK_")}
    return {**kept, "OTKLIK_INSTANCE": str(tmp_path / "instance"), "OTKLIK_DATABASE_URL": sqlite_url}


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start commands in process groups of their own; whatever is left of them is ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def command(*arguments: object) -> subprocess.Popen[str]:
        words = [OTKLIK, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        started.append(subprocess.Popen(words, env=environment, text=True, start_new_session=True, **pipes))  # type: ignore[call-overload]
        return started[-1]

    yield command
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def get(port: int, path: str) -> tuple[int, bytes]:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.status, answer.read()


def wait_until_up(port: int, process: subprocess.Popen[str]) -> None:
    give_up = time.monotonic() + 60
    while True:
        try:
            get(port, "/healthz")
        except (URLError, ConnectionError, TimeoutError):
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < give_up
            time.sleep(0.05)
        else:
            return


def announced(server: subprocess.Popen[str]) -> str:
    """What the server says once it takes visitors."""
    assert server.stdout is not None
    lines = []
    for line in server.stdout:
        lines.append(line)
        if "Ctrl+C" in line:
            break
    return "".join(lines)


def group(leader: int) -> set[int]:
    """The processes of a process group that are alive."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == leader and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def wait_until_gone(leader: int, seconds: float) -> set[int]:
    give_up = time.monotonic() + seconds
    while (left := group(leader)) and time.monotonic() < give_up:
        time.sleep(0.05)
    return left


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
