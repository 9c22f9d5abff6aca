"""``python -m lib_ti``: the command line."""

from lib_ti.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
