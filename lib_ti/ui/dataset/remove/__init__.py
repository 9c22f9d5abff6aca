"""Step: remove painted regions of source images, such as text and watermarks."""
