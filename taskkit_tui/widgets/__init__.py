"""Widgets of the dashboard. They know rows and figures, but no scheduler."""
