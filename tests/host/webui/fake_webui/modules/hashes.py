"""The cache of hashes; off, as with --no-hashing."""


def sha256(_filename, _title):
    return None
