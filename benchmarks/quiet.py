"""The product without its language models, to see what the intake itself needs: `python -m benchmarks.quiet PORT`."""

from __future__ import annotations

import gc
import multiprocessing
import sys

from flask import Flask

from feedback_app.app import create_app
from feedback_app.cli.server import Server
from feedback_app.cli.serving import GC_ROUNDS, end_with_parent


def app() -> Flask:
    """Return the app of a serving process that loads no model before a text comes."""
    end_with_parent()
    gc.set_threshold(*GC_ROUNDS)
    return create_app()


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn", force=True)
    Server("benchmarks.quiet:app", "127.0.0.1", int(sys.argv[1]), 1, None).serve()
