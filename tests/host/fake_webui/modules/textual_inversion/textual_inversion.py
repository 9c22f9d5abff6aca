"""The database of embeddings."""


class EmbeddingDatabase:
    def __init__(self):
        self.loaded = []

    def load_from_file(self, path, filename):
        self.loaded.append((path, filename))
