"""The Hong Kong Cantonese Corpus (Luke and Wong, 2015): the part of speech of each word in 58 recorded dialogues.

It ships inside the PyPI package pycantonese, as plain text files in the CHAT format; pycantonese itself is never
imported. The corpus is under CC BY 4.0: K. K. Luke and May L. Y. Wong (2015), The Hong Kong Cantonese Corpus: Design
and Uses, Journal of Chinese Linguistics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rnnspec.experiment.package_files import package_file
from rnnspec.experiment.series import DataSet, Series

__all__ = ["hkcancor"]

Utterance = list[tuple[str, str]]

_HELD_OUT = 5
"""Every fifth dialogue, from the first on, is one to test on."""


def hkcancor() -> DataSet:
    """Reads the dialogues: every fifth one is for the test, so 12,877 utterances are for training and 3,285 are not.

    A word becomes its id: 1 for all words that do not occur twice in the training dialogues, from 2 on the others, the
    most frequent one first; 0 is left to padding. The classes are the corpus's tags, and one for punctuation.

    Returns:
        The data, with a class for each step.

    Raises:
        DataError: If the package or its files are missing; the hint is the command that fetches them.
    """
    folder = package_file("HKCanCor", "pycantonese", "3.4.0", "pycantonese/data/hkcancor")
    dialogues = [list(_utterances(path)) for path in sorted(folder.glob("*.cha"))]
    test = [utterance for dialogue in dialogues[::_HELD_OUT] for utterance in dialogue]
    train = [utterance for index, dialogue in enumerate(dialogues) if index % _HELD_OUT for utterance in dialogue]
    counts = Counter(word for utterance in train for word, _ in utterance)
    words = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
    ids = {word: number for number, word in enumerate(words, start=2)}
    tags = sorted({tag for utterance in [*train, *test] for _, tag in utterance})
    return DataSet(_series(train, ids, tags), _series(test, ids, tags))


def _utterances(path: Path) -> Iterator[Utterance]:
    """The words of each utterance with their tags; a line that starts with a tab goes on with the line before."""
    words: list[str] = []
    for line in path.read_text(encoding="utf-8").replace("\n\t", " ").splitlines():
        tier, _, text = line.partition("\t")
        if tier.startswith("*"):
            words = text.split()
        elif tier == "%mor:":
            yield list(zip(words, _tags(words, text.split()), strict=True))


def _tags(words: list[str], tier: list[str]) -> Iterator[str]:
    """The tag of each word: what stands before `|`, for `British Airways` only before its first part."""
    tag = ""
    for word, analysis in zip(words, tier, strict=True):
        head, bar, _ = analysis.partition("|")
        tag = head if bar else "punctuation" if analysis == word else tag
        yield tag


def _series(utterances: list[Utterance], ids: dict[str, int], tags: list[str]) -> Series:
    numbers = {tag: number for number, tag in enumerate(tags)}
    x = [np.array([ids.get(word, 1) for word, _ in utterance], np.int64) for utterance in utterances]
    y = [np.array([numbers[tag] for _, tag in utterance], np.int64) for utterance in utterances]
    return Series(x, y, tuple(tags))
