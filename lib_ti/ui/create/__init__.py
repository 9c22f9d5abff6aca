"""Sub-tab Create."""
