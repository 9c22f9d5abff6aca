"""Sub-tab Results."""
