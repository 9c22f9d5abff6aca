"""Plan and make training images from source images."""
