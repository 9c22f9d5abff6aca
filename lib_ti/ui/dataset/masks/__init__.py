"""Step: paint the loss masks of prepared images."""
