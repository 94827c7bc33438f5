"""Lines of the log as data: what was written, which lines are shown, and which match a search."""
