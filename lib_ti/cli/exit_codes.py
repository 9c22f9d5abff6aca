"""Exit codes of the commands."""

DONE, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130
