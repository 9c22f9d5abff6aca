"""Bringing images in: uploaded files and zips become a folder of images with their captions."""
