"""The command `taskkit`: schedules without a screen."""

from taskkit.cli.command import main

__all__ = ["main"]
