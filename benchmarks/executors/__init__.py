"""Measure where bodies run elsewhere than on a thread, each beside the bare way to do the same."""
