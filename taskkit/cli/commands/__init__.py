"""The subcommands of `taskkit`, one module each."""
