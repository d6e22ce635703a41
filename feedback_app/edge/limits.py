"""How often one address or device may ask."""

from __future__ import annotations

import math
import threading
import time
from ipaddress import ip_address, ip_network
from typing import Any

from flask import Flask, abort, current_app, make_response, request
from flask_limiter import Limiter
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

BOOK_ENTRIES = "60 per minute"
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


def spend_items(limit: RateLimitItem, key: str, cost: int) -> None:
    """Count items of a device or point; answer 429 with Retry-After once the limit is reached."""
    if not current_app.config["RATELIMIT_ENABLED"] or cost <= 0:
        return
    with _spending:  # what is refused does not use the limit up, and no two threads take the same last place
        free = _items.test(limit, key, cost=cost) and _items.hit(limit, key, cost=cost)
    if not free:
        reset = _items.get_window_stats(limit, key).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        answer = make_response({"error": "too_many_requests"}, 429)
        answer.headers["Retry-After"] = str(wait)
        abort(answer)


def address() -> str:
    """Return the address of the sender, behind the trusted proxies; of IPv6 the network of one connection, /64."""
    text = request.remote_addr or "unknown"
    try:
        parsed = ip_address(text)
    except ValueError:
        return text
    return str(ip_network(f"{text}/64", strict=False)) if parsed.version == 6 else text
