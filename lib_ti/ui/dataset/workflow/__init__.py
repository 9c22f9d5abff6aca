"""The way through the sub-tab Dataset: what is done and what is still to do in each step, from what is on disk."""
