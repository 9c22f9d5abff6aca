"""Write, edit and search the captions of a folder."""
