"""The screens: what is laid out where, and which key does what. They know widgets, rows and requests."""
