"""How often one address or device may ask."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from flask import Flask, abort, current_app, make_response, request
from flask_limiter import Limiter
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

BOOK_ENTRIES = "60 per minute"
FOLLOWINGS = "60 per minute"
"""How often secret links are tried from one address, right ones and wrong ones."""
SURVEY_RESPONSES = "120 per minute"
SIGN_INS = "10 per minute"
DEVICE_ITEMS = RateLimitItemPerSecond(2_000, namespace="device")
POINT_ITEMS = RateLimitItemPerMinute(120, namespace="point")
"""What a public point token may hand in from one address: as many as surveys; a paired device may do more."""
PAIRINGS = RateLimitItemPerMinute(10, namespace="pair")
PIN_TRIES = RateLimitItemPerMinute(5, namespace="pin")
HEARTBEATS = RateLimitItemPerMinute(60, namespace="heartbeat")

limiter = Limiter(lambda: address(), storage_uri="memory://", default_limits=[])
_items = FixedWindowRateLimiter(MemoryStorage())
_spending = threading.Lock()


def init(app: Flask, *, enabled: bool) -> None:
    """Set the limits up; `enabled` is the setting OTKLIK_RATE_LIMITS."""
    app.config.update(RATELIMIT_ENABLED=enabled, RATELIMIT_HEADERS_ENABLED=True)
    limiter.init_app(app)


def limit_posts(app: Flask, endpoint: str, rate: str) -> None:
    """Limit the POSTs of a view by address."""
    limited: Any = limiter.limit(rate, methods=["POST"])(app.view_functions[endpoint])
    app.view_functions[endpoint] = limited


def widen(app: Flask, sizes: Mapping[str, int]) -> None:
    """Let the bodies of some endpoints be larger, in bytes; set up before anything reads a body."""

    @app.before_request
    def allow() -> None:
        size = sizes.get(request.endpoint or "")
        if size is not None:
            request.max_content_length = size


def limit_all(app: Flask, endpoint: str, rate: str) -> None:
    """Limit every request to a view by address."""
    limited: Any = limiter.limit(rate)(app.view_functions[endpoint])
    app.view_functions[endpoint] = limited


def seconds_to_wait(limit: RateLimitItem, key: str, cost: int) -> int | None:
    """Count items of a device or point; return how long to wait where the limit is reached, else None."""
    if cost <= 0:
        return None
    with _spending:  # what is refused does not use the limit up, and no two threads take the same last place
        free = _items.test(limit, key, cost=cost) and _items.hit(limit, key, cost=cost)
    if free:
        return None
    reset = _items.get_window_stats(limit, key).reset_time
    return max(1, math.ceil(reset - time.time()))


def spend_items(limit: RateLimitItem, key: str, cost: int) -> None:
    """Count items of a device or point; answer 429 with Retry-After once the limit is reached."""
    wait = seconds_to_wait(limit, key, cost) if current_app.config["RATELIMIT_ENABLED"] else None
    if wait is not None:
        answer = make_response({"error": "too_many_requests"}, 429)
        answer.headers["Retry-After"] = str(wait)
        abort(answer)


def address() -> str:
    """Return the address of the sender, behind the trusted proxies; of IPv6 the network of one connection, /64."""
    return network_of(request.remote_addr)


def network_of(remote: str | None) -> str:
    """Return what is counted for an address: of IPv6 the network of one connection, /64."""
    text = remote or "unknown"
    try:
        parsed = ip_address(text)
    except ValueError:
        return text
    return str(ip_network(f"{text}/64", strict=False)) if parsed.version == 6 else text
