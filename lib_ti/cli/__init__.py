"""The command line: arguments from the settings, progress for people, events for programs."""
