"""The terminal that the dashboard lives in: taken at the start, given back whatever happens."""
