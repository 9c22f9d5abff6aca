"""Step: show the images of the folder, as training would use them."""
