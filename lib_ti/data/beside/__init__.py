"""Files beside the images of a folder that belong to them: captions and masks."""
