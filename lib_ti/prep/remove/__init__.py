"""Find text in images, and paint over unwanted regions."""
