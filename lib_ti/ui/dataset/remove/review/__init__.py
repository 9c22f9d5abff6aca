"""Part of the step Remove: text removed from all images, reviewed before it is kept."""
