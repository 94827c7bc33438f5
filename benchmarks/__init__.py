"""How fast it is, measured beside what one would use instead; see `benchmarks.library`."""
