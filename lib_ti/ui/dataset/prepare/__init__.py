"""Step: prepare the training images, and use the result."""
