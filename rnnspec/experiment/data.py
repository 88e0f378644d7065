"""From a name or a file to sequences: the table of data sets and the readers of users' files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnspec.config.experiment import DataConfig, ExperimentConfig
from rnnspec.errors import ConfigError, DataError, Problem
from rnnspec.experiment.hkcancor import hkcancor
from rnnspec.experiment.japanese_vowels import japanese_vowels
from rnnspec.experiment.numpy_files import read_npy, read_npz
from rnnspec.experiment.series import DataSet, Series
from rnnspec.experiment.ts_files import read_ts

__all__ = ["data_config", "prepared_data", "read_data", "read_series"]

_READERS = {"HKCanCor": hkcancor, "JapaneseVowels": japanese_vowels}


def read_data(config: ExperimentConfig) -> DataSet:
    """Reads the data set of an experiment, as measured.

    Args:
        config: The experiment.

    Returns:
        The data.

    Raises:
        ConfigError: If the experiment names no data.
        DataError: If the data cannot be read.
    """
    return _READERS[data_config(config).identifier]()


def prepared_data(config: ExperimentConfig, seed: int) -> DataSet:
    """Reads the data set of an experiment and does to it what the experiment asks for.

    Args:
        config: The experiment.
        seed: Of the draw of the validation split.

    Returns:
        The data, ready for training.

    Raises:
        ConfigError: If the experiment names no data.
        DataError: If the data cannot be read or split.
    """
    data = read_data(config).validated(config.train.validation_split, seed)
    return data.standardized() if getattr(config.data, "standardize", False) else data


def data_config(config: ExperimentConfig) -> DataConfig:
    """The config of an experiment's data set.

    Args:
        config: The experiment.

    Returns:
        The config.

    Raises:
        ConfigError: If the experiment names no data.
    """
    if config.data is None:
        raise ConfigError(Problem("the experiment names no data", hint="for example `data: JapaneseVowels`"))
    return config.data


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
