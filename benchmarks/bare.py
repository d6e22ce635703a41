"""The bare JSON POST of the same server: `python -m benchmarks.bare PORT`.

The server is the one of `otklik serve`; the one route reads JSON and answers JSON of the size of the intake's answer.
"""

from __future__ import annotations

import multiprocessing
import sys
from datetime import UTC, datetime

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from feedback_app.cli.server import Server
from feedback_app.cli.serving import end_with_parent


def app() -> Flask:
    """Return the app of one route."""
    end_with_parent()
    bare = Flask(__name__)

    @bare.post("/api/v1/responses")
    def post() -> ResponseReturnValue:
        items = request.get_json()["responses"]
        results = [{"id": item["id"], "status": "stored"} for item in items]
        return jsonify(results=results, server_time=datetime.now(UTC).isoformat())

    return bare


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn", force=True)
    Server("benchmarks.bare:app", "127.0.0.1", int(sys.argv[1]), 1, None).serve()
