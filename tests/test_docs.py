"""The documents keep their word: the code of every page runs, every sentence of the semantics names a test there is."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_cases import Shell
from import_rules import modules
from pages import PageRun, blocks

import rnnspec
from rnnspec import registry

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [name for name, path in modules(ROOT).items() if "\n    Examples:\n" in path.read_text()]
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


@pytest.fixture
def page_run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], PageRun]]:
    """Makes runs of pages; what a page registers and imports is forgotten after it."""
    for table in vars(registry).values():
        if isinstance(table, registry.Registry):
            monkeypatch.setattr(table, "_added", {})
    monkeypatch.syspath_prepend(shell.folder)  # as for a script that stands there
    before = set(sys.modules)
    yield lambda name: PageRun(name, shell)
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(shell.folder)):
            del sys.modules[name]


def with_marks(page: Path) -> Any:
    """A page as a parameter: one that trains or compiles takes long."""
    text, marks = page.read_text(), []
    if re.search(r"rnnspec train|\.train\(runs", text):
        marks = [pytest.mark.slow]
    if re.search(r"= torch\.compile\(", text):
        unavoidable = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # torch's own, of its own call
        no_compiler = shutil.which(os.environ.get("CXX", "g++")) is None
        needs_it = pytest.mark.skipif(no_compiler, reason="Inductor needs a C++ compiler")
        marks = [pytest.mark.slow, pytest.mark.compiled, unavoidable, needs_it]
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks)


@pytest.mark.parametrize("page", [with_marks(page) for page in PAGES])
def test_the_code_of_a_page_runs(page: Path, page_run: Callable[[str], PageRun], tmp_path: Path) -> None:
    if page.name == "interop.md":  # its reader has a model of Keras
        shutil.copy(ROOT / "tests" / "keras_files" / "k208-embed.h5", tmp_path / "old.h5")
    if page.parent == ROOT:  # its reader stands in the project's folder
        (tmp_path / "examples").symlink_to(ROOT / "examples")

    page_run(str(page.relative_to(ROOT))).run(page.read_text())


@pytest.mark.parametrize("module", EXAMPLES)
def test_the_examples_in_docstrings_run(module: str) -> None:
    done = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)

    assert done.attempted > 0
    assert done.failed == 0


def test_the_readmes_error_is_the_one_that_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    readme = blocks((ROOT / "README.md").read_text())
    model = next(block.text for block in readme if block.text.startswith("# model.yaml"))
    Path("model.yaml").write_text(model.replace('{units: "${units}"}', '{unit: "${units}"}'))
    with pytest.raises(rnnspec.ConfigError) as error:
        rnnspec.load("model.yaml")
    shown = next(block.text for block in readme if block.text.startswith("model.yaml:"))
    assert str(error.value).startswith(shown.removesuffix("...\n"))
