"""The dashboard: watch and control a `taskkit` scheduler in the terminal."""
