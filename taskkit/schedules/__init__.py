"""Schedules: pure values that say when a task is due."""

from taskkit.schedules.after import After
from taskkit.schedules.any_of import AnyOf
from taskkit.schedules.kinds import Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.schedules.queries import due_times

__all__ = ["After", "AnyOf", "Cron", "Daily", "Every", "OnDemand", "Once", "Schedule", "due_times"]
