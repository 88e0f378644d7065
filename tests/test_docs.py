"""The documents keep their word: the README's code runs, every sentence of docs/semantics.md names a test there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rnnspec
from rnnspec import registry

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


def blocks(language: str) -> list[str]:
    """The README's blocks of code in a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def test_the_readmes_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.CELLS, "_added", {})
    monkeypatch.chdir(tmp_path)
    (model,) = blocks("yaml")
    Path("model.yaml").write_text(model)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    assert names["y"].shape == (4, 10, 32)  # type: ignore[attr-defined]
    assert names["model"].output_shape == (None, 9)  # type: ignore[attr-defined]


def test_the_readmes_error_is_the_one_that_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text(blocks("yaml")[0].replace('{units: "${units}"}', '{unit: "${units}"}'))
    with pytest.raises(rnnspec.ConfigError) as error:
        rnnspec.load("model.yaml")
    shown = next(block for block in blocks("") if block.startswith("model.yaml:"))
    assert str(error.value).startswith(shown.removesuffix("...\n"))
