"""Turn a folder of found images into a training set: inspect, crop, remove unwanted regions, resize, name, caption."""
