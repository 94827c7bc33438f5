"""The process as a whole: its exit, its forked children, and orphans that come to it."""
