"""Train the network that finds text in images."""
