"""The tagger beats the tag that each word has most often."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import pytest
from example_runs import EXAMPLES, run_example

FOLDER = Path(str(distribution("pycantonese").locate_file("pycantonese/data/hkcancor")))


def tagged_words(path: Path) -> Iterable[tuple[str, str]]:
    """The words of a dialogue with their tags, read without the library's reader."""
    lines = path.read_text(encoding="utf-8").replace("\n\t", " ").splitlines()
    words = [word for line in lines if line[0] == "*" for word in line.split()[1:]]
    tags = [tag for line in lines if line.startswith("%mor:") for tag in line.split()[1:]]
    for index, tag in enumerate(tags):  # a word of several parts has its tag before the first one
        tags[index] = tags[index - 1].split("|")[0] + "|" if "|" not in tag and tag != words[index] else tag
    return zip(words, (tag.split("|")[0] if "|" in tag else "mark" for tag in tags), strict=True)


def most_frequent_tag() -> float:
    """Share of the held-out words that have the tag which they most often have in training.

    A new word gets the tag that most words have which occur once in training.
    """
    dialogues = [list(tagged_words(path)) for path in sorted(FOLDER.glob("*.cha"))]
    tags: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for index, dialogue in enumerate(dialogues):
        for word, tag in dialogue if index % 5 else ():
            tags[word][tag] += 1
    once = Counter(tag for counts in tags.values() for tag in counts if counts.total() == 1)
    best = {word: counts.most_common(1)[0][0] for word, counts in tags.items()}
    new = once.most_common(1)[0][0]
    held_out = [pair for dialogue in dialogues[::5] for pair in dialogue]
    return sum(best.get(word, new) == tag for word, tag in held_out) / len(held_out)


def test_the_baseline_is_the_one_that_is_told() -> None:
    assert f"is right for\n# {most_frequent_tag():.1%}".replace("%", " %") in (EXAMPLES / "hkcancor.yaml").read_text()


@pytest.mark.slow
def test_the_tagger_beats_the_most_frequent_tag(tmp_path: Path) -> None:
    arguments = ("-m", "rnnspec", "train", str(EXAMPLES / "hkcancor.yaml"), "--quiet")

    lines = run_example(*arguments, folder=tmp_path)

    (accuracy,) = (float(line.split()[-1]) for line in lines if line.startswith("test accuracy "))
    assert accuracy > most_frequent_tag() + 0.004
