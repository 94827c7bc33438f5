"""The pictures of the dashboard, the film of the README, and the scripts that make them."""
