"""The generator that ships with mxgan, trained on faces that mxgan painted. README.md beside this is its model card."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mxgan.errors import ParamsError

PAINTED = "painted"  # what it is called wherever weights are taken
FOLDER = Path(__file__).parent
FILE = "painted-64.params"  # beside it FILE.sha256, as sha256sum writes it


def painted(folder: Path = FOLDER) -> Path:
    """The weights file of ``painted``: latent 150, ngf 64, 64×64 pixels, float16, in MXNet's own format.

    Raises ParamsError where the file is missing from the folder that mxgan is installed in, or has other bytes than it
    was published with.
    """
    path = folder / FILE
    try:
        published, found = (folder / f"{FILE}.sha256").read_text().split()[0], path.read_bytes()
    except (OSError, IndexError) as error:
        raise _reinstall(path, "missing") from error
    if hashlib.sha256(found).hexdigest() != published:
        raise _reinstall(path, "damaged")
    return path


def _reinstall(path: Path, what: str) -> ParamsError:
    return ParamsError(
        f"{path}: the generator that comes with mxgan is {what}; install mxgan again, in a checkout with "
        "pip install --force-reinstall --no-deps ."
    )
