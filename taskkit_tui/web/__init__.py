"""Serves the dashboard to browsers on this machine: `taskkit-tui serve`, with the extra `web`."""
