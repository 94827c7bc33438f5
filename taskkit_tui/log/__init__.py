"""The log as data: the lines that were written, which of them are shown, and what is found in them."""
