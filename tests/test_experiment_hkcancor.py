"""The Hong Kong Cantonese Corpus is read as it stands in its files."""

from __future__ import annotations

import hashlib
from collections import Counter
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

from rnnspec.config import HKCanCorConfig
from rnnspec.experiment.hkcancor import _utterances, hkcancor
from rnnspec.experiment.series import DataSet

FOLDER = Path(str(distribution("pycantonese").locate_file("pycantonese/data/hkcancor")))
FIRST = ["喂", "遲", "啲", "去", "唔", "去", "旅行", "啊", "?"]


@pytest.fixture(scope="module")
def data() -> DataSet:
    """The corpus; nothing changes it."""
    return hkcancor()


def test_files_are_those_that_were_measured() -> None:
    files = sorted(FOLDER.glob("*.cha"))

    assert len(files) == 58
    assert hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8] == "428e96ac"


def test_has_the_counts_of_the_corpus(data: DataSet) -> None:
    """16,162 utterances of 153,654 words, up to 107 in one; every fifth dialogue is held out."""
    assert (len(data.train), len(data.test)) == (12877, 3285)
    assert sum(data.train.lengths) + sum(data.test.lengths) == 153654
    assert max(data.train.lengths + data.test.lengths) == 107


def test_the_config_says_how_many_ids_and_tags_there_are(data: DataSet) -> None:
    assert len(data.train.classes) == HKCanCorConfig.classes
    assert data.train.classes == data.test.classes
    assert max(x.max() for x in data.train.x) + 1 == HKCanCorConfig.tokens
    assert data.train.channels is HKCanCorConfig.channels is None


def test_the_first_utterance_is_that_of_its_file(data: DataSet) -> None:
    """`*XXA: ...` and `%mor: e|wai3 a|ci4 ...` of FC-001_v2.cha, the first of the held-out dialogues."""
    tags = [data.test.classes[number] for number in data.test.y[0]]  # type: ignore[index]

    assert next(_utterances(FOLDER / "FC-001_v2.cha")) == list(zip(FIRST, tags, strict=True))
    assert tags == ["e", "a", "u", "v", "d", "v", "vn", "y", "punctuation"]
    assert data.test.x[0][3] == data.test.x[0][5]  # the same word twice


def test_ids_are_those_of_words_that_training_has_twice_the_most_frequent_first(data: DataSet) -> None:
    counts = Counter(np.concatenate(data.train.x).tolist())

    assert min(counts) == 1
    known = [counts[number] for number in range(2, 3464)]
    assert known == sorted(known, reverse=True)
    assert min(known) == 2


def test_a_word_of_several_parts_gives_each_its_tag_and_long_lines_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.cha"
    text = "@Begin\n*XXB:\tBritish Airways 英航\n\t呢 .\n%mor:\txnt|British Airways0\n\tjnt|jing1 y1|ne1 .\n@End\n"
    path.write_text(text, encoding="utf-8")

    assert list(_utterances(path)) == [
        [("British", "xnt"), ("Airways", "xnt"), ("英航", "jnt"), ("呢", "y1"), (".", "punctuation")]
    ]
