"""The panels of tasks: their columns and cells."""
