"""The database of embeddings."""


class EmbeddingDatabase:
    def __init__(self):
        self.loaded = []

    def load_from_file(self, path, filename):
        if filename.startswith("broken"):
            raise RuntimeError("data issue")
        self.loaded.append((path, filename))
