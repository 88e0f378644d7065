"""Trains a model with PyTorch Lightning: the loop is Lightning's, this file says what happens in a step."""

from __future__ import annotations

import logging
import random
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import cast

import numpy as np
import pytorch_lightning as lightning
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn

from rnnspec.config.experiment import ExperimentConfig, TrainConfig
from rnnspec.errors import ConfigError, EngineError
from rnnspec.experiment.batches import Batch, batches
from rnnspec.experiment.history import History, ProgressBar, Row
from rnnspec.experiment.measures import Measures, measures_of
from rnnspec.experiment.objectives import compared, objective_of
from rnnspec.experiment.series import SPLITS, DataSet
from rnnspec.nn import Sequential

__all__ = ["Task", "fit"]


class Task(lightning.LightningModule):
    """A model with its loss, its metrics and its optimizer.

    A model that returns a sequence is judged at every real step; padding counts nowhere. The states of a stateful model
    start from zeros with the first batch of a split, in every epoch.

    Args:
        model: Called as `model(x, mask=mask)`; its `losses` are added to the loss, as in Keras.
        config: The experiment: its loss, optimizer and metrics are used.
        labels: The labels of the classes, for metrics with a number for each.

    Raises:
        ConfigError: If the experiment names no data, or a metric cannot be used.
    """

    def __init__(self, model: Sequential, config: ExperimentConfig, labels: Sequence[str] = ()) -> None:
        super().__init__()
        self.model = model
        self._objective = objective_of(config)
        self._optimizer = config.optimizer
        self.measures = nn.ModuleDict({f"{split}_": measures_of(config, self._objective, labels) for split in SPLITS})
        self._matrices: dict[str, Tensor] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch of the training split."""
        return self._step("train_", batch, index)

    def validation_step(self, batch: Batch, index: int, dataloader_idx: int = 0) -> None:
        """Measures one batch of the test split (the first loader) or of the validation split (the second)."""
        self._step(f"{SPLITS[1 + dataloader_idx]}_", batch, index)

    def _step(self, split: str, batch: Batch, index: int) -> Tensor:
        if index == 0:
            self.model.reset_states()
        loss, outputs, y = compared(self.model, self._objective, batch)
        cast(Measures, self.measures[split]).update(outputs, y, loss)
        return loss

    def epoch_values(self) -> Row:
        """The loss and the metrics of all splits since the last call: `train_loss`, `test_accuracy`, ..."""
        row: Row = {}
        for split, measures in cast(Iterable[tuple[str, Measures]], self.measures.items()):
            row |= {split + name: value for name, value in measures.values().items()}
            if split == "test_":
                self._matrices = measures.matrices()
            measures.reset()
        return row

    @property
    def confusion_matrices(self) -> dict[str, Tensor]:
        """Those of the test split at the last `epoch_values`, by their names."""
        return self._matrices

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer of the parameters that may be trained."""
        parameters = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        if not parameters:
            raise ConfigError("the model has no weights that may be trained")
        make = getattr(torch.optim, self._optimizer.identifier)
        return cast(torch.optim.Optimizer, make(parameters, **self._optimizer.torch_arguments()))


def fit(
    task: Task, data: DataSet, train: TrainConfig, *, accelerator: str = "auto", progress: bool = True
) -> list[Row]:
    """Trains in place; the test split is measured after every epoch, and nothing is chosen by it.

    The same seed gives the same run on the same machine. The random state of the caller is left as it was.

    Args:
        task: What to train.
        data: The data.
        train: How to train; `seed` must be there.
        accelerator: Lightning's: `auto`, `cpu`, `gpu`, ...
        progress: Whether to show the progress bar.

    Returns:
        A row an epoch: `epoch`, `seconds`, `train_loss`, `test_loss` and the metrics of all splits.

    Raises:
        DataError: If the loss becomes nan.
        EngineError: If this machine has no such accelerator.
        ConfigError: If the model has no weights that may be trained.
        KeyboardInterrupt: If the user interrupts.
    """
    seed = cast(int, train.seed)
    history = History()
    batched = partial(
        batches, batch_size=train.batch_size, fill=task.model.stateful, group_by_length=train.group_by_length
    )
    training = batched(data.train, shuffle_seed=seed if train.shuffle else None, drop_last=train.drop_last)
    measured = [batched(split) for split in (data.test, data.validation) if split is not None]
    with _quiet(), isolate_rng():
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        trainer = _trainer(train, accelerator, [history, *([ProgressBar(history)] if progress else [])])
        with _interruptible():
            trainer.fit(task, training, measured)
    return history.rows


def _trainer(train: TrainConfig, accelerator: str, callbacks: list[lightning.Callback]) -> lightning.Trainer:
    """Lightning's trainer, without the files and tables that it would write and print itself."""
    try:
        return lightning.Trainer(
            max_epochs=train.epochs,
            accelerator=accelerator,
            devices=1,
            callbacks=callbacks,
            gradient_clip_val=train.gradient_clip,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
    except MisconfigurationException as error:
        raise EngineError(f"the accelerator '{accelerator}' cannot be used on this machine") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences what Lightning says unasked: tips, devices, and warnings that do not fit small data in memory."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric)")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Gives Ctrl-C its usual meaning back: Lightning answers with SystemExit and ignores it from then on."""
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
