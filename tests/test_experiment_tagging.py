"""Experiments on tokens with a class for each step, on a tiny stand-in for HKCanCor."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch
from experiment_cases import series

import rnnspec
from rnnspec import DataError
from rnnspec.config.experiment import ExperimentConfig
from rnnspec.experiment import data, training
from rnnspec.experiment.batches import LengthGroups, batches
from rnnspec.experiment.experiment import Experiment
from rnnspec.experiment.objectives import compared, objective_of
from rnnspec.experiment.prediction import judged, predict
from rnnspec.experiment.runs import Run, load_run
from rnnspec.experiment.series import DataSet, Series

TAGS = tuple(f"tag {number}" for number in range(92))
TEXT = """
data: HKCanCor
model:
  - Embedding: {input_dim: 3464, output_dim: 4, mask_zero: true}
  - LSTM: {units: 8, return_sequences: true}
  - Dense: {units: 92}
optimizer: {Adam: {learning_rate: 0.05}}
metrics: [Accuracy]
"""


def utterances(count: int) -> Series:
    """Sequences of 2 to 6 tokens; the class of a token is one less than the token."""
    x = [1 + (np.arange(2 + i % 5) + i) % 92 for i in range(count)]
    return Series(x, [tokens - 1 for tokens in x], TAGS)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data._READERS, "HKCanCor", lambda: DataSet(utterances(20), utterances(7)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A tagger after one epoch; nothing changes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data._READERS, "HKCanCor", lambda: DataSet(utterances(20), utterances(7)))
        return load_run(Experiment(tagger(), "cpu").train(tmp_path_factory.mktemp("runs"), progress=False))


def tagger(train: str = "epochs: 1, seed: 3") -> ExperimentConfig:
    """The config of the tagger."""
    return cast(ExperimentConfig, rnnspec.loads(f"{TEXT}train: {{{train}}}"))


def test_the_loss_is_the_mean_over_real_steps_each_with_its_own_class() -> None:
    config = tagger()
    model = rnnspec.build(config, seed=1, device="cpu")
    words = utterances(5)

    ((x, mask, y),) = batches(words, 5)
    loss, _, _ = compared(model, objective_of(config), (x, mask, y))

    alone = [model(torch.from_numpy(tokens)[None])[0] for tokens in words.x]
    classes = torch.from_numpy(np.concatenate(cast(list[np.ndarray], words.y)))
    expected = torch.nn.functional.cross_entropy(torch.cat(alone), classes)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_training_learns_the_tags() -> None:
    experiment = Experiment(tagger("epochs: 20, seed: 3, batch_size: 4, group_by_length: true"), "cpu")

    rows = training.fit(experiment._task, experiment.data, experiment.config.train, accelerator="cpu", progress=False)

    assert rows[0]["test_accuracy"] < 0.5
    assert rows[-1]["test_accuracy"] > 0.9


@pytest.mark.parametrize("grouped", [True, False], ids=["grouped", "not grouped"])
def test_group_by_length_reaches_the_loaders(grouped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def spy(*arguments: object, **options: object) -> object:
        made.append(batches(*arguments, **options))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(training, "batches", spy)
    experiment = Experiment(tagger(f"epochs: 1, seed: 3, group_by_length: {str(grouped).lower()}"), "cpu")
    training.fit(experiment._task, experiment.data, experiment.config.train, accelerator="cpu", progress=False)

    assert [isinstance(loader.batch_sampler, LengthGroups) for loader in made] == [grouped, grouped]


def test_predictions_stand_beside_the_class_of_each_step(run: Run) -> None:
    words = utterances(3)

    rows = judged(run, words, predict(run, words))

    places = [(row["series"], row["step"], row["expected"]) for row in rows]
    assert places == [
        *((0, step, f"tag {step}") for step in range(2)),
        *((1, step, f"tag {step + 1}") for step in range(3)),
        *((2, step, f"tag {step + 2}") for step in range(4)),
    ]


def test_predictions_without_classes_expect_nothing(run: Run) -> None:
    words = Series(utterances(2).x)

    assert {row["expected"] for row in judged(run, words, predict(run, words))} == {None}


def test_sequences_of_channels_are_refused(run: Run) -> None:
    with pytest.raises(DataError) as raised:
        run.prepared(series(2, seed=1))

    assert str(raised.value) == "the model takes sequences of tokens, found 12 channels"


def test_a_class_that_there_is_not_is_refused(run: Run) -> None:
    words = utterances(2)

    with pytest.raises(DataError) as raised:
        run.prepared(Series(words.x, [words.x[0] * 0, words.x[1] * 0 + 92]))

    assert str(raised.value) == "the classes are 0 to 91, found 92 in y"
