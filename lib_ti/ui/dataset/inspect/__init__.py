"""Step: inspect the source images, and exclude those that should not be trained."""
