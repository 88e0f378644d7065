"""What a training run tells while it goes on: the numbers of every epoch, and the progress bar."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
import time
from typing import Any, Protocol, cast

import pytorch_lightning as lightning

from rnnspec.errors import DataError, Problem

__all__ = ["History", "ProgressBar", "Row"]

Row = dict[str, float]


class Measured(Protocol):
    """What has been trained for an epoch."""

    def epoch_values(self) -> Row:
        """The numbers of the epoch."""


class History(lightning.Callback):
    """Keeps one row of numbers an epoch, and stops a run whose loss is no number any more.

    Attributes:
        rows: A row an epoch: `epoch` from 1, `seconds` since the start, and what the task tells (`train_loss`, ...).
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._start = time.perf_counter()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Adds a row.

        Args:
            trainer: The trainer.
            pl_module: The `Task` that is trained.

        Raises:
            DataError: If the training loss is nan or infinite.
        """
        values = cast(Measured, pl_module).epoch_values()
        epoch = trainer.current_epoch + 1
        self.rows.append({"epoch": epoch, "seconds": round(time.perf_counter() - self._start, 3), **values})
        if not math.isfinite(values["train_loss"]):
            message = f"the training loss became {values['train_loss']} in epoch {epoch}"
            raise DataError(Problem(message, hint="a smaller learning rate, or standardised data"))


class ProgressBar(lightning.Callback):
    """One bar over all epochs, with the numbers of the last one beside it; in a notebook it is a widget."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._bar: Any = None

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Opens the bar."""
        # tqdm.auto warns in a notebook without ipywidgets: ask for it only where it can work.
        variant = "tqdm" if importlib.util.find_spec("ipywidgets") is None else "tqdm.auto"
        tqdm = importlib.import_module(variant).tqdm
        # Into a file or a pipe, a line a second is enough.
        interval = 0.1 if sys.stderr.isatty() else 1.0
        self._bar = tqdm(
            total=trainer.max_epochs, desc="epochs", unit="epoch", mininterval=interval, dynamic_ncols=True
        )

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Moves it on; `History` must stand before it among the callbacks."""
        row = self._history.rows[-1]
        shown = {name: f"{row[name]:.4f}" for name in row if name not in ("epoch", "seconds")}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update()

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Closes it."""
        self._bar.close()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Closes it where training stops early, so that the message starts on a line of its own."""
        if self._bar is not None:
            self._bar.close()
