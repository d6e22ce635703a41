"""The commands as processes, for every test of this folder."""

from tests.cli.served import environment, start

__all__ = ["environment", "start"]
