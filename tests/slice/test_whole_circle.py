"""The whole circle: taps, a survey, an entry and a visit come in by the pages, and stand on the director's map."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.serving import make_server

from feedback_app.domain.access import SYSTEM
from feedback_app.jobs import Runner
from feedback_app.services import counting, demo
from feedback_app.services.exchange import export_responses
from tests.builders import EMAILS, Chain, csrf_of, open_chain
from tests.services.handed_in import ALL_GOOD
from tests.services.mailbox import Mailbox, free_port, mail_server

COMPLAINT = "Очередь на кассе стояла полчаса, кассир нагрубил!"


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._browser: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        """Open a page."""
        with self._browser.open(f"{self._address}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def hand_in(self, path: str, **fields: Any) -> str:
        """Open a form, fill it and send it; return the page that follows."""
        page = self.get(path)
        data = {"csrf_token": csrf_of(page), "response_id": str(uuid4()), **fields}
        with self._browser.open(f"{self._address}{path}", urlencode(data).encode(), timeout=60) as answer:
            return str(answer.read().decode())

    def tap(self, token: str, items: list[dict[str, Any]]) -> Counter[str]:
        """Send what a kiosk kept."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = Request(f"{self._address}/api/v1/responses", json.dumps({"responses": items}).encode(), headers)
        with self._browser.open(request, timeout=60) as answer:
            return Counter(result["status"] for result in json.loads(answer.read())["results"])

    def signed_in(self, role: str) -> Visitor:
        """Sign in as somebody of the cast."""
        self.hand_in("/login", email=EMAILS[role], password=demo.PASSWORD)
        return self


def words_of(page: str) -> str:
    """What stands on a page, its marks left aside."""
    return unescape(re.sub(r"<[^>]+>", "", page))


@pytest.fixture
def circle(make_app: Callable[..., Flask], database_url: str) -> Iterator[tuple[str, Chain, Runner, Mailbox]]:
    """The shop served over HTTP, once over SQLite and once over PostgreSQL, and the mail server it writes to."""
    port, mailbox = free_port(), Mailbox()
    app = make_app(database_url, TESTING=False, OTKLIK_SMTP_URL=f"smtp://127.0.0.1:{port}")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    runner = Runner(app, app.config["OTKLIK_SETTINGS"])
    with mail_server(mailbox, port):
        yield f"http://127.0.0.1:{server.server_port}", open_chain(app.extensions["otklik"]), runner, mailbox
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_customers_leave_behind_stands_on_the_map(
    circle: tuple[str, Chain, Runner, Mailbox], tmp_path: Path
) -> None:
    address, chain, runner, mailbox = circle
    shopper = Visitor(address)

    assert chain.token() in shopper.get(f"/k/{chain.token()}")
    taps = [chain.item({"smiley": 1 + index % 4}) for index in range(20)]
    taps[0]["answers"] = {"smiley": 1, "reason": "queue", "comment": COMPLAINT}
    assert shopper.tap(chain.token(), taps) == {"stored": 20}
    assert shopper.tap(chain.token(), taps) == {"duplicate": 20}

    answers = {"overall": "2", "reason": "queue", "effort": "3", "recommend": "4", "comment": "Хлеб несвежий"}
    for _ in range(6):
        shopper.hand_in(f"/q/{chain.token('001', 'exit')}", **answers)
    receipt = shopper.hand_in("/book/001", kind="complaint", text=COMPLAINT)
    assert "1" in receipt
    assert COMPLAINT not in receipt
    assert COMPLAINT not in shopper.get("/book/001")
    with pytest.raises(HTTPError, match="422"):
        shopper.hand_in("/book/001", kind="complaint", text="")

    result = Visitor(address).signed_in("mystery_shopper").hand_in("/visit/visit-001", **ALL_GOOD)
    assert "100" in result

    director = Visitor(address).signed_in("director")
    assert "001" in director.get("/")
    assert COMPLAINT in words_of(director.get("/map/stage/deal"))
    figures = json.loads(director.get("/api/v1/metrics?measure=smiley&group=store"))["rows"]
    assert [(row["group"], row["n"], row["value"]) for row in figures] == [("001", 20, pytest.approx(50))]
    stages = {stage["stage"]: stage for stage in json.loads(director.get("/api/v1/journey"))["stages"]}
    at_deal = {source["source"] for source in stages["deal"]["sources"]}
    assert {"button", "mystery", "book"} <= at_deal
    assert stages["deal"]["open_cases"] == 1
    assert stages["deal"]["barriers"][0]["key"] == "queue"
    assert (
        0
        <= stages["deal"]["emotion"]["low"]
        <= stages["deal"]["emotion"]["value"]
        <= stages["deal"]["emotion"]["high"]
        <= 100
    )

    manager = Visitor(address).signed_in("manager")
    assert COMPLAINT in words_of(manager.get("/map/stage/deal"))
    stale_bread, complaint = 6, 1  # what opens a case is told of by a letter
    assert runner.run_due() == stale_bread + complaint
    assert set(mailbox.to) == {"manager@otklik.example"}

    assert export_responses(chain.db, SYSTEM, tmp_path / "all.csv") == 28
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text(encoding="utf-8"))))
    assert Counter(row["channel"] for row in rows) == {"button": 20, "qr": 6, "book": 1, "mystery": 1}
    assert counting.verify(chain.db) == []
