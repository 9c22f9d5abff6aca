"""What makes the files that ship with lib_ti: the pocket model and the text finder. Never imported by lib_ti."""
