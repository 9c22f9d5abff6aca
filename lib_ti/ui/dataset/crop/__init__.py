"""Step: set the crop boxes of the source images."""
