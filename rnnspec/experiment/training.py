"""Trains a model with PyTorch Lightning: the loop is Lightning's, this file says what happens in a step."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import pytorch_lightning as lightning
import torch
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection

from rnnspec.experiment.batches import Batch, batches
from rnnspec.experiment.history import History, ProgressBar, Row
from rnnspec.experiment.series import DataSet

__all__ = ["Loss", "MakeOptimizer", "Task", "fit"]

Loss = Callable[[Tensor, Tensor], Tensor]
"""From outputs (n, classes) and labels (n,) to their mean loss."""
MakeOptimizer = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]


class Task(lightning.LightningModule):
    """A model with its loss, its metrics and its optimizer.

    A model that returns a sequence is judged at every real step, each with the label of its sequence; padding counts
    nowhere.

    Args:
        model: Called as `model(x, mask=mask)`; its `losses` are added to the loss, as in Keras.
        loss: The mean loss of outputs and labels.
        optimizer: Makes the optimizer from the parameters.
        metrics: By name, computed over a whole epoch.
    """

    def __init__(self, model: nn.Module, loss: Loss, optimizer: MakeOptimizer, metrics: Mapping[str, Metric]) -> None:
        super().__init__()
        self.model = model
        self._loss = loss
        self._optimizer = optimizer
        self.train_metrics = MetricCollection(dict(metrics), prefix="train_")
        self.test_metrics = self.train_metrics.clone(prefix="test_")

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The loss of one batch of the training split."""
        return self._step(batch, "train_loss", self.train_metrics)

    def validation_step(self, batch: Batch, _: int) -> None:
        """Measures one batch of the test split."""
        self._step(batch, "test_loss", self.test_metrics)

    def _step(self, batch: Batch, name: str, metrics: MetricCollection) -> Tensor:
        x, mask, y = batch
        outputs = self.model(x, mask=mask)
        if outputs.ndim == 3:
            outputs, y = outputs[mask], y[:, None].expand(mask.shape)[mask]
        loss = sum(cast(list[Tensor], self.model.losses), self._loss(outputs, y))
        metrics.update(outputs.detach(), y)
        self.log(name, loss, on_step=False, on_epoch=True, batch_size=len(y))
        self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=len(y))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer of the parameters that may be trained."""
        return self._optimizer(parameter for parameter in self.model.parameters() if parameter.requires_grad)


def fit(
    task: Task,
    data: DataSet,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    accelerator: str = "auto",
    progress: bool = True,
) -> list[Row]:
    """Trains in place; the test split is measured after every epoch, and nothing is chosen by it.

    The same seed gives the same run on the same machine. The random state of the caller is left as it was.

    Args:
        task: What to train.
        data: The data.
        epochs: Passes over the training split.
        batch_size: Sequences a batch.
        seed: Of the order of the sequences and of dropout.
        accelerator: Lightning's: `auto`, `cpu`, `gpu`, ...
        progress: Whether to show the progress bar.

    Returns:
        A row an epoch: `epoch`, `seconds`, `train_loss`, `test_loss` and the metrics of both splits.

    Raises:
        DataError: If the loss becomes nan.
        KeyboardInterrupt: If the user interrupts.
    """
    history = History()
    with _quiet(), isolate_rng():
        lightning.seed_everything(seed, verbose=False)
        trainer = lightning.Trainer(
            max_epochs=epochs,
            accelerator=accelerator,
            devices=1,
            callbacks=[history, *([ProgressBar(history)] if progress else [])],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        with _interruptible(trainer):
            trainer.fit(task, batches(data.train, batch_size, shuffle_seed=seed), batches(data.test, batch_size))
    return history.rows


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
def _interruptible(trainer: lightning.Trainer) -> Iterator[None]:
    """Gives Ctrl-C its usual meaning back: Lightning answers with SystemExit and ignores it from then on."""
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if trainer.interrupted:
            raise KeyboardInterrupt from error
        raise
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
