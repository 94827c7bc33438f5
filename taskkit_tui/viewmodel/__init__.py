"""Computes what the screen shows: pure data and functions, without a screen."""
