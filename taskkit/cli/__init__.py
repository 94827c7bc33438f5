"""The command `taskkit`: runs, lists and inspects scheduled tasks, without a dashboard."""

from taskkit.cli.main import main

__all__ = ["main"]
