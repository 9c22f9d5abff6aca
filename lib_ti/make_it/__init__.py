"""Make it: everything from a folder of images to a trained keyword, in one go, with the step-by-step way's services."""
