"""What is on the screen. Widgets know rows and figures; none of them knows a scheduler."""
