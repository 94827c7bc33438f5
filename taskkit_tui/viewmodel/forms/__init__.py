"""The data of the forms: a new task, and a typed schedule."""
