"""The JapaneseVowels data set (Kudo et al. 1999): which of nine speakers said it, from 12 channels of 7 to 29 steps.

It ships inside the PyPI package sktime, as plain text files; sktime itself is never imported.
"""

from __future__ import annotations

from rnnspec.experiment.package_files import package_file
from rnnspec.experiment.series import DataSet
from rnnspec.experiment.ts_files import read_ts

__all__ = ["japanese_vowels"]

_FILE = "sktime/datasets/data/JapaneseVowels/JapaneseVowels_{}.ts"


def japanese_vowels() -> DataSet:
    """Reads the official split: 270 training sequences, 30 a speaker, and 370 test sequences.

    Returns:
        The data, as measured; the classes are the speakers 1 to 9.

    Raises:
        DataError: If the package or its files are missing; the hint is the command that fetches them.
    """
    train, test = (
        read_ts(package_file("JapaneseVowels", "sktime", "1.2.0", _FILE.format(split))) for split in ("TRAIN", "TEST")
    )
    return DataSet(train, test)
