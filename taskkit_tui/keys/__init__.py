"""Keys of the dashboard: the table of commands, a person's own keymap, the order of keys."""
