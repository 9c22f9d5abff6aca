"""Reading the files that hold embeddings, those of other programs too."""
