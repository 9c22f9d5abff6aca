"""The folder browser, one for all fields: sub-folders with their numbers of images, and the folders used last."""
