"""The register's page of the documentation: its example is worked out anew from its words, and its lists are true."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from feedback_app.domain import register as rules
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.register import CASE_FACTS, ENTRY_FACTS, PHOTO_FACTS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "register.md").read_text(encoding="utf-8")
FIELDS = re.findall(r"^\| `(\w+)` \|", TEXT.partition("## A link")[2].partition("**The canonical")[0], re.MULTILINE)
EXAMPLE = TEXT.partition("## An example")[2]
BLOCKS = [block.strip().split("\n") for block in re.findall(r"```\n(.+?)```", EXAMPLE, re.DOTALL)]
KEY = re.search(r"Key `(\w+)`", EXAMPLE)[1].encode()  # type: ignore[index]


def by_hand(previous: bytes, message: str) -> str:
    return hmac.new(KEY, previous + message.encode(), hashlib.sha256).hexdigest()


def link_of(message: str, previous: str) -> rules.Link:
    said: dict[str, Any] = json.loads(message)
    at = datetime.fromisoformat(said["at"])
    where = {"register": said["register"], "store_id": said["store"], "position": said["position"]}
    told = {name: said[name] for name in ("kind", "actor", "facts", "seals")}
    return rules.Link(at=at, entry_id=UUID(said["entry"]), case_id=said["case"], previous=previous, **where, **told)


def test_the_example_agrees_with_the_words_and_with_the_program() -> None:
    [seal], (first, first_value), (second, second_value), _ = BLOCKS
    assert hashlib.sha256(b"\x01" * 32 + "Касса не работала".encode()).hexdigest() == seal
    assert sorted(json.loads(first)) == sorted(FIELDS)
    assert json.loads(first)["seals"] == {"text": seal}
    assert by_hand(bytes(32), first) == first_value
    assert by_hand(bytes.fromhex(first_value), second) == second_value
    for message, previous, value in ((first, rules.START, first_value), (second, first_value, second_value)):
        link = link_of(message, previous)
        assert rules.message(link).decode() == message
        assert rules.hang(KEY, link) == value
    assert rules.seal("01" * 32, "Касса не работала") == seal


def test_the_anchors_line_agrees_with_the_words_and_is_read(tmp_path: Path) -> None:
    [line], message = BLOCKS[3], json.loads(BLOCKS[2][0])
    said = json.loads(line)
    mac = said.pop("mac")
    signed = rules.canonical({**said, "register": message["register"], "store": message["store"]})
    assert hmac.new(KEY, b"anchor" + signed.encode(), hashlib.sha256).hexdigest() == mac
    keeper = Keeper(KEY, tmp_path)
    path = keeper.path(message["register"], message["store"])
    path.parent.mkdir(parents=True)
    path.write_text(line + "\n")
    [mark] = keeper.read(message["register"], message["store"]).marks
    assert (mark.count, mark.link) == (2, BLOCKS[2][1])


def test_the_facts_that_the_page_lists_are_those_of_the_program() -> None:
    rows = dict(re.findall(r"^\| (`entry`|`opened`)[^|]*\|([^|]+)\|", TEXT, re.MULTILINE))
    entry, _, photos = rows["`entry`"].partition("`photos`:")
    assert re.findall(r"`(\w+)`", entry) == list(ENTRY_FACTS)
    assert re.findall(r"`(\w+)`", photos) == list(PHOTO_FACTS)
    assert re.findall(r"`(\w+)`", rows["`opened`"]) == ["case", *CASE_FACTS]
