"""The dashboard: watch and steer a `taskkit` scheduler in the terminal."""
