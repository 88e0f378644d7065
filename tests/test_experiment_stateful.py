"""Training, measuring and predicting with a stateful model, whose batches go on from one another."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_cases import Shell
from experiment_cases import experiment, series, tiny, use_tiny
from torch import Tensor
from torch.nn import functional

import rnnspec
from rnnspec import ConfigError, ConfigWarning
from rnnspec.experiment.experiment import Experiment
from rnnspec.experiment.history import Row
from rnnspec.experiment.prediction import predict
from rnnspec.experiment.runs import build_model, load_run
from rnnspec.experiment.training import Task, fit

MODEL = "[GRU: {units: 4, stateful: true, batch_input_shape: [16, null, 12]}, Dense: {units: 9}]"
TRAIN = "epochs: 2, seed: 3, batch_size: 16, shuffle: false"
UNMOVED = "optimizer: {SGD: {learning_rate: 1.0e-30}}"


def trained(train: str = TRAIN, more: str = "metrics: [Accuracy]") -> tuple[Task, list[Row]]:
    """Trains the stateful model on the tiny data: 27 sequences, 18 to test on."""
    config = experiment(MODEL, train, more)
    task = Task(build_model(config, seed=1, device="cpu"), config)
    return task, fit(task, tiny(), config.train, accelerator="cpu", progress=False)


def joined(model: torch.nn.Module, x: list[np.ndarray]) -> Tensor:
    """What a model without carried states gives if the sequences of a row are one: the 17th follows the first."""
    plain = build_model(experiment(), device="cpu")
    plain.load_state_dict(model.state_dict())
    rows = [np.concatenate(x[index % 16 : index + 1 : 16]) for index in range(len(x))]
    with torch.no_grad():
        return torch.cat([plain(torch.from_numpy(row)[None]) for row in rows])


def test_a_split_is_measured_as_if_the_sequences_of_a_row_were_one() -> None:
    task, rows = trained()
    test = tiny().test

    outputs, y = joined(task.model, test.x), torch.as_tensor(test.y)

    assert rows[-1]["test_loss"] == pytest.approx(functional.cross_entropy(outputs, y).item(), rel=1e-5)
    assert rows[-1]["test_accuracy"] == pytest.approx((outputs.argmax(-1) == y).float().mean().item())


def test_training_goes_on_from_batch_to_batch_and_padding_counts_nowhere() -> None:
    """With steps that move nothing, the mean of the batches' losses is that of all sequences."""
    task, rows = trained(more=UNMOVED)
    train = tiny().train

    expected = functional.cross_entropy(joined(task.model, train.x), torch.as_tensor(train.y))

    assert rows[0]["train_loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_every_epoch_starts_from_zeros() -> None:
    rows = trained(more=UNMOVED)[1]

    assert rows[0]["train_loss"] == rows[1]["train_loss"]
    assert rows[0]["test_loss"] == rows[1]["test_loss"]


def test_a_last_smaller_batch_can_be_dropped() -> None:
    task, rows = trained(train=TRAIN + ", drop_last: true", more=UNMOVED)
    train = tiny().train

    expected = functional.cross_entropy(joined(task.model, train.x)[:16], torch.as_tensor(train.y)[:16])

    assert rows[0]["train_loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_predictions_are_those_of_the_rows_as_one_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny(monkeypatch)
    run = load_run(Experiment(experiment(MODEL, TRAIN), "cpu").train(tmp_path, progress=False))
    run.model.cpu()
    test = series(18, seed=2)

    expected = joined(run.model, run.prepared(test).x).softmax(-1).numpy()

    for _ in range(2):
        found = predict(run, test)
        assert len(found) == 18
        assert np.stack(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("model", "train", "messages"),
    [
        pytest.param(MODEL, TRAIN, [], id="in order"),
        pytest.param("[GRU: {units: 9}]", "epochs: 1, validation_split: 0.5", [], id="not stateful"),
        pytest.param(
            MODEL,
            "batch_size: 16",
            [
                "the stateful GRU goes on from the sequence in its row of the batch before, but train.shuffle draws a "
                "new order every epoch; set it to false"
            ],
            id="shuffled",
        ),
        pytest.param(
            "{Bidirectional: {layer: {GRU: {units: 9, stateful: true, name: inner}}, "
            "batch_input_shape: [16, null, 12], merge_mode: sum}}",
            TRAIN + ", validation_split: 0.5",
            [
                "the stateful GRU 'inner' goes on from the sequence in its row of the batch before, but "
                "train.validation_split draws sequences at random; set it to 0"
            ],
            id="split",
        ),
        pytest.param(
            "{GRU: {units: 9, stateful: true, batch_input_shape: [16, null, 12]}}",
            TRAIN + ", group_by_length: true",
            [
                "the stateful GRU goes on from the sequence in its row of the batch before, but train.group_by_length "
                "sorts sequences by their length; set it to false"
            ],
            id="grouped",
        ),
    ],
)
def test_a_drawn_order_is_warned_of(
    model: str, train: str, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_tiny(monkeypatch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Experiment(experiment(model, train), "cpu")

    assert [str(item.message) for item in caught] == messages
    assert {item.category for item in caught} <= {ConfigWarning}


class TestBatchSize:
    def test_it_must_be_the_models(self) -> None:
        with pytest.raises(ConfigError) as raised:
            rnnspec.build(experiment(MODEL, "batch_size: 8"))

        assert str(raised.value) == (
            "3:21: train.batch_size: batch_size must be 16, which the stateful GRU has, found 8\n"
            "  3 | train: {batch_size: 8}\n"
            "    |                     ^"
        )

    def test_check_tells_it_too(self, shell: Shell) -> None:
        shell.write("a.yaml", f"data: JapaneseVowels\nmodel: {MODEL}\n")

        ran = shell("check", "a.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines()[0] == (
            "a.yaml:1:1: train.batch_size: batch_size must be 16, which the stateful GRU has, found 32"
        )

    @pytest.mark.parametrize(
        ("model", "train"),
        [
            pytest.param(MODEL.replace("stateful: true", "stateful: false"), "{batch_size: 8}", id="not stateful"),
            pytest.param(MODEL, "{batch_size: 16}", id="the same"),
        ],
    )
    def test_otherwise_all_is_well(self, model: str, train: str, shell: Shell) -> None:
        shell.write("a.yaml", f"data: JapaneseVowels\nmodel: {model}\ntrain: {train}\n")

        assert shell("check", "a.yaml").code == 0
