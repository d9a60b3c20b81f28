"""MXNet's row_sparse and csr arrays, spread out to dense ones as its ``tostype("default")`` does.

A few stored values may stand for any number of zeros, so what a file may spread to is bounded by `room` before it is
allocated. Indices are held to what MXNet's own ``check_format`` asks (src/common/utils.h at 1.9.1), except that
they may be in any order, as in MXNet, where the order changes nothing.
"""

from __future__ import annotations

import numpy as np

from mxgan.weights.raw import DAMAGED, Fail

# All sparse arrays of a file together may spread to this many times the file, as what a ZIP unpacks may, ...
MOST_TIMES = 16
# ... or to these bytes: twice the largest layer of a DCGAN (1024×512×4×4 in float32), and little for any machine.
MOST_ALWAYS = 2**26
DENSE = "make it dense in MXNet, with tostype('default'), and save again"


def room(fail: Fail, at: int, wanted: int, before: int, size: int) -> int:
    """How many bytes a file's sparse arrays spread to: ``before`` this one, and its own ``wanted``.

    Raises ParamsError where that is more than a file of ``size`` bytes may.
    """
    most = max(MOST_TIMES * size, MOST_ALWAYS)
    if before + wanted > most:
        raise fail(at, f"at most {most} bytes of dense arrays from the sparse ones", f"{before + wanted}", DENSE)
    return before + wanted


def row_sparse(fail: Fail, at: int, values: np.ndarray, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``values`` (n, ...) at the ``rows`` (n,) of an array of zeros, read-only."""
    if values.ndim != len(shape) or values.shape[1:] != shape[1:]:
        raise fail(at, f"some rows of shape {shape[1:]}", f"values of shape {values.shape}", DAMAGED)
    _check(fail, at, "row", rows, len(values), shape[0])
    _check_distinct(fail, at, "row", rows)
    dense = np.zeros(shape, values.dtype)
    dense[rows.astype(np.int64)] = values
    dense.flags.writeable = False
    return dense


def csr(
    fail: Fail, at: int, values: np.ndarray, starts: np.ndarray, columns: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """``values`` (n,) at their ``columns`` (n,) of a matrix of zeros, read-only; row i has those from ``starts[i]``."""
    if len(shape) != 2 or values.ndim != 1:
        raise fail(at, "a matrix and a list of its values", f"shapes {shape} and {values.shape}", DAMAGED)
    _check(fail, at, "column", columns, len(values), shape[1])
    places = np.zeros(0, np.int64)
    if len(values) or starts.shape != (0,):  # MXNet has no starts for a matrix that nothing was ever written to
        _check(fail, at, "start of a row", starts, shape[0] + 1, len(values) + 1)
        starts = starts.astype(np.int64)
        if starts[0] != 0 or starts[-1] != len(values) or np.any(starts[1:] < starts[:-1]):
            raise fail(at, f"starts of rows that rise from 0 to {len(values)}", _some(starts), DAMAGED)
        places = np.repeat(np.arange(shape[0]), np.diff(starts)) * shape[1] + columns.astype(np.int64)
        _check_distinct(fail, at, "place", places)
    dense = np.zeros(shape, values.dtype)
    dense.reshape(-1)[places] = values
    dense.flags.writeable = False
    return dense


def _check(fail: Fail, at: int, what: str, indices: np.ndarray, count: int, end: int) -> None:
    """``count`` indices from 0 to below ``end``: NumPy would count negative ones from the end."""
    if indices.shape != (count,):
        raise fail(at, f"the {what} of {count}, one each", f"indices of shape {indices.shape}", DAMAGED)
    if count and not 0 <= int(indices.min()) <= int(indices.max()) < end:
        bad = int(indices.min()) if int(indices.min()) < 0 else int(indices.max())
        raise fail(at, f"each {what} between 0 and {end - 1}", f"{bad}", DAMAGED)


def _some(numbers: np.ndarray) -> str:
    return ", ".join(map(str, numbers[:8].tolist())) + (", ..." if len(numbers) > 8 else "")


def _check_distinct(fail: Fail, at: int, what: str, indices: np.ndarray) -> None:
    """MXNet's check refuses an index that comes twice; its threads would race for whose value stays."""
    ordered = np.sort(indices)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        raise fail(at, f"each {what} once", f"{what} {int(twice[0])} twice", DAMAGED)
