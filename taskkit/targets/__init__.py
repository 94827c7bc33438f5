"""Targets: from the name on a command line to a scheduler and its state."""
