"""Reading a JSON body that anybody may have sent."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

DEPTH_LIMIT = 64
TOO_DEEP = '"\\u0000too deep"'
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A string that is cut off counts to the end, so that no text makes the search begin anew at each of its quotes."""


class NotJson(ValueError):
    """The body is not JSON as the standard has it."""


def _refuse(constant: str) -> Any:
    raise NotJson(constant)


def _whole(text: str) -> int:
    # Longer whole numbers than Python will turn into text answer no question; the sign and size are enough.
    return int(text) if len(text) < sys.int_info.default_max_str_digits else int(text[:20])


_decode = json.JSONDecoder(parse_constant=_refuse, parse_int=_whole).decode


def shorten(text: str) -> str:
    """Return JSON text with everything nested deeper than the limit replaced by a string that no rule accepts.

    So one item that is nested without end is refused as an item, and its neighbours are read.
    """
    kept: list[str] = []
    depth, start = 0, 0
    for found in _STRINGS_AND_BRACKETS.finditer(text):
        sign = found[0]
        if sign in "[{":
            if depth == DEPTH_LIMIT:
                kept.append(text[start : found.start()] + TOO_DEEP)
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == DEPTH_LIMIT:
                start = found.end()
    if depth != 0:
        raise NotJson("cut off")
    kept.append(text[start:])
    return "".join(kept)


def parse(raw: bytes) -> Any:
    """Return the value of a JSON body, or raise NotJson; NaN, Infinity and cut-off bodies are not JSON."""
    try:
        text = raw.decode("utf-8")
        try:
            return _decode(text)
        except RecursionError:
            return _decode(shorten(text))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
