"""Sequences in NumPy's `.npy` and `.npz` files; neither is ever read with pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnspec.errors import DataError, Problem
from rnnspec.experiment.series import Series

__all__ = ["read_npy", "read_npz"]


def read_npy(path: Path) -> Series:
    """Reads sequences of one length from a `.npy` file, an array `(sequences, time, channels)`.

    Args:
        path: The file, which must exist.

    Returns:
        The sequences, without labels.

    Raises:
        DataError: If it is not such an array.
    """
    with _damage_told(path), path.open("rb") as file:
        x = np.lib.format.read_array(file, allow_pickle=False)
    return _series({"x": x}, str(path))


def read_npz(path: Path) -> Series:
    """Reads sequences from a `.npz` file.

    It holds `x` `(sequences, time, channels)` and, if wanted, `lengths` `(sequences,)`, the steps before the padding,
    and `y` `(sequences,)`, the classes counted from 0.

    Args:
        path: The file, which must exist.

    Returns:
        The sequences without their padding.

    Raises:
        DataError: If the arrays are not these.
    """
    with _damage_told(path), zipfile.ZipFile(path), np.load(path, allow_pickle=False) as arrays:
        found = {name: np.asarray(arrays[name]) for name in arrays}
    if "x" not in found or not found.keys() <= {"x", "lengths", "y"}:
        names = ", ".join(sorted(found)) or "none"
        raise DataError(
            Problem(f"expected the arrays x, lengths (optional) and y (optional), found {names}", file=str(path))
        )
    return _series(found, str(path))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Words what the readers of NumPy and zip raise on damaged files: errors of many kinds."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise DataError(Problem(f"is not a {path.suffix} file of numbers", file=str(path))) from error


def _series(arrays: dict[str, npt.NDArray[Any]], file: str) -> Series:
    """Checks the arrays of a file and cuts the padding off."""
    x = arrays["x"]
    if x.ndim != 3 or x.dtype.kind not in "iuf" or 0 in x.shape:
        expected = "x must be numbers of shape (sequences, time, channels), none of them 0"
        raise DataError(Problem(f"{expected}, found {x.dtype} of shape {x.shape}", file=file))
    limits = {"lengths": (1, x.shape[1]), "y": (0, np.iinfo(np.int64).max)}
    problems = [problem for name, limit in limits.items() if (problem := _check(name, arrays, len(x), *limit))]
    if problems:
        raise DataError(*(Problem(problem, file=file) for problem in problems))
    lengths = arrays.get("lengths", np.full(len(x), x.shape[1]))
    sequences = [row[:length].astype(np.float32) for row, length in zip(x, lengths, strict=True)]
    if not all(np.isfinite(sequence).all() for sequence in sequences):
        raise DataError(Problem("x must be finite, found nan or infinity", file=file))
    return Series(sequences, arrays["y"].astype(np.int64) if "y" in arrays else None)


def _check(name: str, arrays: dict[str, npt.NDArray[Any]], count: int, low: int, high: int) -> str | None:
    """What is wrong with an array of one integer a sequence, if it is there at all."""
    array = arrays.get(name)
    if array is None:
        return None
    if array.shape != (count,) or array.dtype.kind not in "iu":
        return f"{name} must be integers of shape ({count},), found {array.dtype} of shape {array.shape}"
    if array.min() < low or array.max() > high:
        return f"{name} must be from {low} to {high}, found {array.min()} to {array.max()}"
    return None
