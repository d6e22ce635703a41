"""A drawing is made once for the same numbers, the shelf stays small, and a page never waits long for a chart."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from analysis.chart_data import RankedRow, Words
from analysis.metrics import Estimate
from feedback_app.edge.numerals import Numerals
from feedback_app.web import figures, studio
from feedback_app.web.drawings import NotDrawnError, Order, Shelf
from feedback_app.web.easel import draw
from feedback_app.web.studio import Studio
from tests.builders import sign_in_as

BE = Words(Numerals("be", 1), Numerals("be"), "замала, каб сказаць", "мінулы перыяд")


def order(title: str, value: float = 64.0) -> Order:
    rows = (RankedRow("Магазін 001", Estimate(value, 61.0, 67.0, 1_234), "месца 1", "/?store=001"),)
    return Order("ranked_stores", (rows, BE), (("width", "wide"),), title, "Індэкс", "stores-wide")


# --- the shelf --------------------------------------------------------------------------------------------------


def test_many_readers_at_once_cost_one_drawing() -> None:
    drawn: list[Order] = []
    start = threading.Barrier(8)

    def slowly(asked: Order) -> str:
        drawn.append(asked)
        time.sleep(0.05)
        return "<svg/>"

    shelf = Shelf(slowly)

    def look(_: int) -> str:
        start.wait()
        return shelf.get(order("А"))

    with ThreadPoolExecutor(8) as readers:
        assert set(readers.map(look, range(8))) == {"<svg/>"}
    assert len(drawn) == 1


def test_another_chart_does_not_wait_for_the_first() -> None:
    first_is_under_way, second_is_drawn = threading.Event(), threading.Event()

    def drawn(asked: Order) -> str:
        if asked.title == "А":
            first_is_under_way.set()
            assert second_is_drawn.wait(10)
        return asked.title

    shelf = Shelf(drawn)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(shelf.get, order("А"))
        assert first_is_under_way.wait(10)
        assert shelf.get(order("Б")) == "Б"
        second_is_drawn.set()
        assert first.result(10) == "А"


def test_other_numbers_and_other_words_are_another_drawing() -> None:
    drawn: list[Order] = []
    shelf = Shelf(lambda asked: drawn.append(asked) or asked.title)  # type: ignore[func-returns-value]
    for asked in (order("А"), order("А", 65.0), order("Б"), order("А")):
        shelf.get(asked)
    assert len(drawn) == len(shelf) == 3


def test_what_was_not_looked_at_longest_goes_first() -> None:
    drawn: list[str] = []
    shelf = Shelf(lambda asked: drawn.append(asked.title) or asked.title, size=2)  # type: ignore[func-returns-value]
    for title in ("А", "Б", "А", "В", "А", "Б"):
        shelf.get(order(title))
    assert len(shelf) == 2
    assert drawn == ["А", "Б", "В", "Б"]


def test_a_drawing_that_failed_is_tried_again() -> None:
    answers: Iterator[str | None] = iter([None, "<svg/>"])

    def drawn(_: Order) -> str:
        answer = next(answers)
        if answer is None:
            raise NotDrawnError
        return answer

    shelf = Shelf(drawn)
    with pytest.raises(NotDrawnError):
        shelf.get(order("А"))
    assert shelf.get(order("А")) == "<svg/>"


# --- the process that draws -------------------------------------------------------------------------------------

Hire = Callable[..., Studio]


@pytest.fixture
def hire() -> Iterator[Hire]:
    """Studios that are closed after the test; given a script, that is what draws."""
    hired: list[Studio] = []

    def one(script: str | None = None, **limits: Any) -> Studio:
        command = studio.COMMAND if script is None else (sys.executable, "-c", textwrap.dedent(EASEL) + script)
        hired.append(Studio(command, **limits))
        return hired[-1]

    yield one
    for each in hired:
        each.close()


EASEL = """
    import os, sys, time
    from multiprocessing.connection import Connection
    line = Connection(int(sys.argv[1]))
    line.send(("ready", ""))
"""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(fact: Callable[[], bool], seconds: float = 20.0) -> bool:
    give_up = time.monotonic() + seconds
    while not fact() and time.monotonic() < give_up:
        time.sleep(0.02)
    return fact()


def test_a_process_of_its_own_draws_the_same_chart(hire: Hire) -> None:
    drawn = hire().draw(order("Магазіны"))
    assert drawn == draw(order("Магазіны"))
    assert "64,0 (61,0–67,0), n\u00a0=\u00a01\u202f234" in drawn
    assert "n\u00a0=\u00a01\u202f234" in drawn


def test_many_threads_share_one_process(hire: Hire) -> None:
    shared = hire()
    with ThreadPoolExecutor(6) as pages:
        drawn = list(pages.map(lambda number: shared.draw(order(f"Магазіны {number}")), range(12)))
    assert [f"Магазіны {number}</title>" in markup for number, markup in enumerate(drawn)] == [True] * 12


def test_a_process_that_was_killed_is_replaced_and_the_chart_still_comes(hire: Hire) -> None:
    shared = hire()
    shared.draw(order("А"))
    first = shared.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert "Б</title>" in shared.draw(order("Б"))
    assert shared.pid not in (None, first)
    assert not is_alive(first)


def test_a_chart_that_cannot_be_drawn_harms_no_other(hire: Hire, caplog: pytest.LogCaptureFixture) -> None:
    shared = hire()
    impossible = Order("emotion_curve", ((), BE), (), "А", "", "emotion-wide")
    with caplog.at_level(logging.ERROR), pytest.raises(NotDrawnError):
        shared.draw(impossible)
    assert "a curve has stages" in caplog.text
    assert "Б</title>" in shared.draw(order("Б"))


def test_what_no_process_can_take_is_not_drawn(hire: Hire) -> None:
    with pytest.raises(NotDrawnError):
        hire().draw(Order("spark", (lambda: None,), (), "А", "", "spark"))


def test_a_process_that_hangs_is_ended_in_time_and_then_rests(hire: Hire) -> None:
    hanging = hire("line.recv()\ntime.sleep(600)", draw_seconds=0.3)
    began = time.monotonic()
    with pytest.raises(NotDrawnError):
        hanging.draw(order("А"))
    assert hanging.pid is None
    assert time.monotonic() - began >= 0.3
    for _ in range(10):
        with pytest.raises(NotDrawnError):
            hanging.draw(order("А"))
    assert time.monotonic() - began < 10


def test_a_process_that_ends_at_every_chart_is_tried_twice(hire: Hire, tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    ending = hire(f"line.recv()\nopen({str(counted)!r}, 'a').write('.')\nos._exit(3)")
    for _ in range(3):
        with pytest.raises(NotDrawnError):
            ending.draw(order("А"))
    assert counted.read_text() == ".."


def test_a_process_that_cannot_begin_costs_the_chart_alone(hire: Hire) -> None:
    absent = Studio(("/nowhere/python",))
    absent.begin()
    with pytest.raises(NotDrawnError):
        absent.draw(order("А"))
    absent.close()


SERVER = """
    import sys, time
    from feedback_app.web.studio import Studio
    studio = Studio()
    studio.begin()
    while studio.pid is None or studio._pen.locked():
        time.sleep(0.02)
    print(studio.pid, flush=True)
    time.sleep(600)
"""


def test_it_ends_with_the_server_also_by_kill_nine() -> None:
    server = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SERVER)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    drawing = int(server.stdout.readline())
    assert is_alive(drawing)
    assert os.getpgid(drawing) == os.getpgid(server.pid)
    server.kill()
    server.wait(10)
    server.stdout.close()
    assert wait_until(lambda: not is_alive(drawing))


def test_a_server_that_is_gone_before_it_began_leaves_no_word(capfd: pytest.CaptureFixture[str]) -> None:
    own, other = Pipe()
    with other:
        command = [*studio.COMMAND, str(other.fileno())]
        begun = subprocess.Popen(command, pass_fds=[other.fileno()], env=studio.environment())
    own.close()
    assert begun.wait(30) == 0
    assert capfd.readouterr().err == ""


def test_ctrl_c_leaves_the_end_to_the_server(hire: Hire) -> None:
    shared = hire()
    shared.draw(order("А"))
    began = shared.pid
    assert began is not None
    os.kill(began, signal.SIGINT)
    assert "Б</title>" in shared.draw(order("Б"))
    assert shared.pid == began


# --- in the pages -----------------------------------------------------------------------------------------------


@pytest.fixture
def apart(filled_app: Flask) -> Iterator[Studio]:
    """The filled app with its charts drawn by a process of their own, as `serve` has it."""
    studio = figures.draw_apart(filled_app)
    yield studio
    filled_app.extensions.pop(figures.EXTENSION, None)
    studio.close()


@pytest.mark.parametrize("path", ["/", "/map", "/map?sources=1"])
def test_pages_show_the_same_charts_whoever_draws(filled_app: Flask, path: str, apart: Studio) -> None:
    browser = sign_in_as(filled_app.test_client(), "director")
    by_process = browser.get(path).get_data(as_text=True)
    kept = filled_app.extensions.pop(figures.EXTENSION)
    here = browser.get(path).get_data(as_text=True)
    filled_app.extensions[figures.EXTENSION] = kept
    assert charts(by_process) == charts(here) != []


def charts(page: str) -> list[str]:
    return [
        part.partition("</svg>")[0] for part in page.split('<svg xmlns="http://www.w3.org/2000/svg" class="chart"')
    ][1:]


def test_the_wide_curve_leaves_the_stages_names_to_the_columns_beneath(filled_app: Flask) -> None:
    wide, narrow = charts(sign_in_as(filled_app.test_client(), "director").get("/map?lang=en").get_data(as_text=True))
    assert ">Deal</text>" not in wide
    assert ">Deal</text>" in narrow


def test_a_page_whose_charts_cannot_be_drawn_comes_with_its_numbers(
    filled_app: Flask, apart: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_command", (sys.executable, "-c", "raise SystemExit(3)"))
    apart.close()
    browser = sign_in_as(filled_app.test_client(), "director")
    for path in ("/?lang=en", "/map?lang=en"):
        answer = browser.get(path)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert charts(page) == []
        assert "could not be drawn just now; its numbers stand in the table" in page
        assert "<table" in page


def test_a_server_that_draws_apart_never_loads_matplotlib() -> None:
    script = """
        import sys
        import feedback_app.cli.serving, feedback_app.app, feedback_app.web.figures, feedback_app.jobs
        print([name for name in sys.modules if name.startswith(("matplotlib", "analysis.charts"))])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
