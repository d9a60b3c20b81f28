"""``python run_gan.py --ctx gpu``: train a DCGAN on anime faces, then say where the pictures are.

The same program as ``mxgan``; without a command it trains.
"""

import sys


def main() -> None:
    """Run the program, or say in a line what it lacks."""
    if sys.version_info < (3, 9):  # noqa: UP036
        _fail("this is Python {}.{}, and mxgan needs 3.9 or later".format(*sys.version_info))
    try:
        from mxgan import cli
    except ModuleNotFoundError as error:  # in a checkout, before anything is installed
        _fail(f"{error.name} is not installed: type make run, or pip install -e '.[run]'")
    cli.main()


def _fail(message: str) -> None:
    print(f"mxgan: error: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
