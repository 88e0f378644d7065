"""The progress bar: a widget where a notebook can show one, else text; no warning in either case."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

from rnnspec.experiment.history import History, ProgressBar


def opened(history: History) -> Any:
    bar: Any = ProgressBar(history)
    bar.on_train_start(SimpleNamespace(max_epochs=2), None)
    return bar


@pytest.mark.parametrize(("spec", "module"), [(None, "tqdm.std"), (object(), "tqdm.asyncio")], ids=["absent", "there"])
def test_the_bar_that_can_be_a_widget_is_asked_for_only_where_ipywidgets_is_there(
    spec: Any, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name == "ipywidgets" else find(name))
    bar = opened(History())
    bar.on_train_end(None, None)

    assert type(bar._bar).__module__ == module


def test_the_bar_shows_the_numbers_of_the_last_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    history = History()
    bar = opened(history)
    for epoch in (1, 2):
        history.rows.append({"epoch": epoch, "seconds": 0.5, "train_loss": 1.0 / epoch})
        bar.on_train_epoch_end(None, None)
    bar.on_train_end(None, None)
    last = capsys.readouterr().err.rstrip().split("\r")[-1]

    assert last.startswith("epochs: 100%")
    assert last.endswith("train_loss=0.5000]")


def test_a_run_that_ends_early_closes_the_bar_if_there_is_one() -> None:
    never: Any = ProgressBar(History())
    never.on_exception(None, None, KeyboardInterrupt())
    bar = opened(History())
    bar.on_exception(None, None, KeyboardInterrupt())

    assert bar._bar.disable
