"""From a folder of images to batches, and the reasons for what is skipped."""
