"""The JapaneseVowels data set (Kudo et al. 1999): which of nine speakers said it, from 12 channels of 7 to 29 steps.

It ships inside the PyPI package sktime, as plain text files; sktime itself is never imported.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from rnnspec.errors import DataError, Problem
from rnnspec.experiment.series import DataSet
from rnnspec.experiment.ts_files import read_ts

__all__ = ["japanese_vowels"]

_COMMAND = "pip install --no-deps sktime==1.2.0"


def japanese_vowels() -> DataSet:
    """Reads the official split: 270 training sequences, 30 a speaker, and 370 test sequences.

    Returns:
        The data, as measured; the classes are the speakers 1 to 9.

    Raises:
        DataError: If the package or its files are missing; the hint is the command that fetches them.
    """
    train, test = (read_ts(_locate(f"JapaneseVowels_{split}.ts")) for split in ("TRAIN", "TEST"))
    return DataSet(train, test)


def _locate(file: str) -> Path:
    try:
        path = Path(str(distribution("sktime").locate_file(f"sktime/datasets/data/JapaneseVowels/{file}")))
    except PackageNotFoundError as error:
        message = "the JapaneseVowels data is missing: it ships inside the package sktime, which is not installed"
        raise DataError(Problem(message, hint=_COMMAND)) from error
    if not path.is_file():
        message = f"the JapaneseVowels data is missing: the installed sktime has no file {path}"
        raise DataError(Problem(message, hint=_COMMAND))
    return path
