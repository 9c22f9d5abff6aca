"""Sub-tab Train."""
