"""The strip above all sub-tabs: what is in progress, wherever it was started."""
