"""The validation loss, its history, and the verdict on it."""
