"""What the screen shows, worked out without a screen: pure data and functions of data."""
