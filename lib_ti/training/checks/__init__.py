"""What is checked before a run, one subject a module."""
