"""From a folder of pictures to batches: what is there, what was skipped and why."""
