"""What a step of training does, and that a run can be repeated."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator

import pytest
import pytorch_lightning as lightning
import torch
from experiment_cases import experiment, series, tiny
from pytorch_lightning.accelerators import CUDAAccelerator, MPSAccelerator
from torch.nn import functional

import rnnspec
from rnnspec import ConfigError, DataError, EngineError, nn
from rnnspec.experiment.batches import batches
from rnnspec.experiment.history import Row
from rnnspec.experiment.runs import build_model
from rnnspec.experiment.training import Task, fit

SEQUENCES = "[GRU: {units: 4, return_sequences: true}, TimeDistributed: {layer: {Dense: {units: 9}}}]"


def trained(**changes: str) -> tuple[Task, list[Row]]:
    """Trains on the tiny data; `seconds` is left out of the rows."""
    config = experiment(**changes)
    task = Task(build_model(config, seed=1, device="cpu"), config)
    data = tiny().validated(config.train.validation_split, seed=3)
    rows = fit(task, data, config.train, accelerator="cpu", progress=False)
    return task, [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def first_loss(**changes: str) -> tuple[nn.Sequential, float, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The loss that a task gives for one batch, with the model and the batch."""
    config = experiment(**changes)
    task = Task(build_model(config, seed=1, device="cpu"), config)
    task.log = lambda *_, **__: None  # type: ignore[method-assign]  # there is no trainer
    x, mask, y = next(iter(batches(series(5, seed=4), 5)))
    return task.model, task.training_step((x, mask, y), 0).item(), x, mask, y


def test_same_seed_gives_the_same_run_and_another_one_does_not() -> None:
    dropout = "[GRU: {units: 4, dropout: 0.5, recurrent_dropout: 0.5}, Dense: {units: 9}]"

    first, again = trained(model=dropout)[1], trained(model=dropout)[1]
    other = trained(model=dropout, train="epochs: 2, seed: 4")[1]

    assert first == again
    assert first[0]["train_loss"] != other[0]["train_loss"]


def test_a_seed_of_64_bits_is_taken() -> None:
    assert len(trained(train=f"epochs: 1, seed: {2**63 - 1}")[1]) == 1


def test_training_lowers_the_loss() -> None:
    rows = trained(train="epochs: 8, seed: 3", more="optimizer: {Adam: {learning_rate: 0.05}}")[1]

    assert rows[-1]["train_loss"] < 0.7 * rows[0]["train_loss"]
    assert rows[-1]["test_loss"] < rows[0]["test_loss"]


def test_rows_have_their_columns_in_reading_order() -> None:
    rows = trained(train="epochs: 2, seed: 3, validation_split: 0.2", more="metrics: [Accuracy, MeanSquaredError]")[1]

    names = ("loss", "accuracy", "mean_squared_error")
    splits = ("train", "test", "validation")
    assert [list(row) for row in rows] == [["epoch", *(f"{split}_{name}" for split in splits for name in names)]] * 2
    assert [row["epoch"] for row in rows] == [1, 2]


def test_test_values_are_those_of_the_trained_model() -> None:
    task, rows = trained()
    x, mask, y = next(iter(batches(tiny().test, 18)))

    outputs = task.model.eval()(x, mask=mask)

    assert rows[-1]["test_loss"] == pytest.approx(functional.cross_entropy(outputs, y).item(), rel=1e-5)
    assert rows[-1]["test_accuracy"] == pytest.approx((outputs.argmax(-1) == y).float().mean().item())


def test_regularization_losses_are_added_to_the_loss() -> None:
    model, loss, x, mask, y = first_loss(
        model="[GRU: {units: 4, kernel_regularizer: {L2: {l: 2.0}}}, Dense: {units: 9}]"
    )

    penalty = 2.0 * model[0].kernel.square().sum()  # type: ignore[union-attr,operator]
    assert loss == pytest.approx((functional.cross_entropy(model(x, mask=mask), y) + penalty).item(), rel=1e-6)


def test_of_a_sequence_every_real_step_counts_the_same_and_padding_nothing() -> None:
    model, loss, x, mask, y = first_loss(model=SEQUENCES)

    steps = [functional.cross_entropy(model(x, mask=mask)[i, t], y[i]) for i in range(5) for t in range(mask[i].sum())]
    assert loss == pytest.approx((sum(steps) / len(steps)).item(), rel=1e-6)


def test_a_model_of_sequences_is_trained() -> None:
    assert trained(model=SEQUENCES)[1][-1]["test_accuracy"] >= 0


def test_a_single_layer_is_trained() -> None:
    assert len(trained(model="{GRU: {units: 9}}")[1]) == 2


def test_constraints_hold_after_training() -> None:
    task, _ = trained(model="[GRU: {units: 4, kernel_constraint: {MaxNorm: {max_value: 0.1}}}, Dense: {units: 9}]")

    assert task.model[0].kernel.norm(dim=0).max() <= 0.1 + 1e-6  # type: ignore[union-attr,operator]


def test_frozen_weights_stay_as_they_are() -> None:
    task, _ = trained(model="[GRU: {units: 4, trainable: false}, Dense: {units: 9}]")

    fresh = build_model(experiment(), seed=1, device="cpu")
    assert torch.equal(task.model[0].kernel, fresh[0].kernel)  # type: ignore[arg-type]
    assert not torch.equal(task.model[1].kernel, fresh[1].kernel)  # type: ignore[arg-type]


def test_gradients_are_clipped() -> None:
    """With plain descent a step is as long as the clipped gradient times the rate."""
    config = experiment(
        train="epochs: 1, seed: 3, batch_size: 27, gradient_clip: 0.001", more="optimizer: {SGD: {learning_rate: 1.0}}"
    )
    task = Task(build_model(config, seed=1, device="cpu"), config)
    before = torch.cat([parameter.detach().clone().flatten() for parameter in task.model.parameters()])

    fit(task, tiny(), config.train, accelerator="cpu", progress=False)

    after = torch.cat([parameter.detach().flatten() for parameter in task.model.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.001, rel=1e-3)


@pytest.mark.parametrize(("shuffle", "same"), [("true", False), ("false", True)])
def test_order_is_drawn_anew_only_if_asked_for(shuffle: str, same: bool) -> None:
    orders: list[list[int]] = []

    class Spy(Task):
        def training_step(self, batch: tuple[torch.Tensor, ...], index: int) -> torch.Tensor:
            orders.append(batch[2].tolist())
            return super().training_step(batch, index)  # type: ignore[arg-type]

    config = experiment(train=f"epochs: 2, seed: 3, batch_size: 27, shuffle: {shuffle}")
    fit(Spy(build_model(config, seed=1), config), tiny(), config.train, accelerator="cpu", progress=False)

    assert (orders[0] == orders[1]) is same
    assert (orders[0] == tiny().train.y.tolist()) is same  # type: ignore[union-attr]


def test_a_loss_that_is_no_number_ends_the_run() -> None:
    """A step of 1e30 makes weights whose squares no float32 holds."""
    with pytest.raises(DataError) as raised:
        trained(
            model="[GRU: {units: 4}, Dense: {units: 9, kernel_regularizer: L2}]",
            train="epochs: 5, seed: 3, batch_size: 9",
            more="optimizer: {SGD: {learning_rate: 1.0e+30}}",
        )

    assert str(raised.value) == (
        "the training loss became nan in epoch 1\n  hint: a smaller learning rate, or standardised data"
    )


def test_an_accelerator_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (CUDAAccelerator, MPSAccelerator):
        monkeypatch.setattr(kind, "is_available", lambda: False)
    config = experiment()
    task = Task(build_model(config, device="cpu"), config)

    with pytest.raises(EngineError) as raised:
        fit(task, tiny(), config.train, accelerator="gpu", progress=False)

    assert str(raised.value) == "the accelerator 'gpu' cannot be used on this machine"


def test_a_model_without_weights_to_train_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        trained(model="[GRU: {units: 9, trainable: false}]")

    assert str(raised.value) == "the model has no weights that may be trained"


def test_the_environment_is_left_alone() -> None:
    """Lightning's own way to seed leaves a variable behind, which its next user would take."""
    before = dict(os.environ)

    trained()

    assert dict(os.environ) == before


def test_the_callers_random_state_and_loggers_are_left_alone() -> None:
    torch.manual_seed(5)
    logger = logging.getLogger("pytorch_lightning")
    level, state = logger.level, torch.get_rng_state()

    trained()

    assert torch.equal(torch.get_rng_state(), state)
    assert logger.level == level


def test_nothing_is_said_unasked(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trained()

    assert capfd.readouterr() == ("", "")
    assert caught == []


def test_an_exit_that_is_no_ctrl_c_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Exits(lightning.Callback):
        def on_train_batch_end(self, *_: object) -> None:
            raise SystemExit(3)

    monkeypatch.setattr("rnnspec.experiment.training.History", Exits)

    with pytest.raises(SystemExit, match="3"):
        trained()


class Interrupted(lightning.Callback):
    """Presses Ctrl-C after the first batch."""

    def on_train_batch_end(self, *_: object) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C has its usual meaning; a job in a shell's background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_a_keyboard_interrupt_and_works_again_afterwards(
    monkeypatch: pytest.MonkeyPatch, ctrl_c: None
) -> None:
    monkeypatch.setattr("rnnspec.experiment.training.History", Interrupted)

    with pytest.raises(KeyboardInterrupt):
        trained()

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_training_works_in_another_thread() -> None:
    found: list[list[Row]] = []
    thread = threading.Thread(target=lambda: found.append(trained()[1]))

    thread.start()
    thread.join()

    assert found == [trained()[1]]


def test_progress_bar_tells_the_last_numbers(capfd: pytest.CaptureFixture[str]) -> None:
    config = experiment()
    rows = fit(Task(build_model(config, device="cpu"), config), tiny(), config.train, accelerator="cpu")

    last = capfd.readouterr().err.replace("\r", "\n").splitlines()[-1]
    assert "2/2" in last
    assert f"train_loss={rows[-1]['train_loss']:.4f}" in last
    assert f"test_accuracy={rows[-1]['test_accuracy']:.4f}" in last


def test_progress_bar_is_closed_where_training_fails(capfd: pytest.CaptureFixture[str]) -> None:
    config = experiment()
    task = Task(build_model(config, device="cpu"), config)
    task._step = lambda *_: 1 / 0  # type: ignore[method-assign,assignment,return-value]

    with pytest.raises(ZeroDivisionError):
        fit(task, tiny(), config.train, accelerator="cpu")

    assert capfd.readouterr().err.endswith("\n")


def test_models_are_always_called_through_a_sequential() -> None:
    """A layer that takes no mask argument of its own can be the whole model."""
    config = experiment(model="{Dense: {units: 9}}")

    assert isinstance(build_model(config), rnnspec.nn.Sequential)
    assert len(trained(model="{Dense: {units: 9}}")[1]) == 2
