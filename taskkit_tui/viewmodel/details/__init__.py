"""The details of one task: facts, due times, history, chart, and the selected run."""
