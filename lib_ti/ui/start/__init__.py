"""Sub-tab Start."""
