"""Words to start an embedding from, ranked by the model's own loss on the images."""
