"""From a name or a file to sequences: the table of data sets and the readers of users' files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnspec.errors import DataError, Problem
from rnnspec.experiment.numpy_files import read_npy, read_npz
from rnnspec.experiment.series import Series
from rnnspec.experiment.ts_files import read_ts

__all__ = ["read_series"]


def read_series(path: str | Path, classes: Sequence[str] = ()) -> Series:
    """Reads a user's sequences from a file; the ending of its name tells the format.

    - `.ts`: the text format of the UCR/UEA archive, sequences of any lengths, with or without labels.
    - `.npy`: one array `(sequences, time, channels)`.
    - `.npz`: such an array as `x`; if wanted, `lengths` `(sequences,)`, the steps before the padding, and `y`
      `(sequences,)`, the classes counted from 0.

    Args:
        path: The file.
        classes: The labels that a `.ts` file may use, in their order; empty for those that its header declares.

    Returns:
        The sequences; `y` is None where the file has no labels.

    Raises:
        DataError: If the file is missing or is not what its ending says.
    """
    path = Path(path)
    if not path.is_file():
        message = "is a folder, expected a .ts, .npy or .npz file" if path.is_dir() else "no such file"
        raise DataError(Problem(message, file=str(path)))
    if path.suffix == ".ts":
        return read_ts(path, classes)
    if path.suffix == ".npy":
        return read_npy(path)
    if path.suffix == ".npz":
        return read_npz(path)
    raise DataError(Problem("expected a file that ends in .ts, .npy or .npz", file=str(path)))
