"""The terminal of the dashboard: taken at the start, and always given back."""
