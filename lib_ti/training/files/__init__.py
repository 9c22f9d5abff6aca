"""The files of a run: its folder, state, tables and log, and the embedding that it leaves."""
