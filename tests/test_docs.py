"""The documents keep their word: every sentence of docs/semantics.md names a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SENTENCES = [line for line in (ROOT / "docs" / "semantics.md").read_text().splitlines() if line.startswith("- ")]


@pytest.mark.parametrize("sentence", SENTENCES, ids=range(len(SENTENCES)))
def test_a_sentence_of_the_semantics_names_its_test(sentence: str) -> None:
    named = re.search(r"`(test_\w+\.py)(?:::(test_\w+))?`$", sentence)
    assert named, sentence
    file, test = named.groups()
    text = (ROOT / "tests" / file).read_text()
    assert test is None or f"def {test}(" in text, sentence


def test_the_semantics_have_sentences() -> None:
    assert len(SENTENCES) > 40
