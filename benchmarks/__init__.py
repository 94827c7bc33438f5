"""Benchmarks: taskkit beside other schedulers (`benchmarks.library`), the dashboard, and the store."""
