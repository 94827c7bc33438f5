"""The machinery behind the scheduler. Private: nothing here is imported by users."""
