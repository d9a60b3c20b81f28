"""``python -m mxgan``: the same program as ``mxgan``."""

from mxgan.cli import main

if __name__ == "__main__":
    main()
