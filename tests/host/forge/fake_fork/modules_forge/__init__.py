"""Says that this is a fork."""
