"""Capture of what runs print and log. Private: users do not import it."""
