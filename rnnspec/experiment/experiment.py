"""An experiment from its config to its run folder."""

from __future__ import annotations

import secrets
from pathlib import Path

from attrs import evolve

from rnnspec.config.experiment import ExperimentConfig
from rnnspec.display.model_table import layer_rows, model_table
from rnnspec.errors import warn
from rnnspec.experiment.data import prepared_data
from rnnspec.experiment.history import Row
from rnnspec.experiment.runs import RunFolder, build_model, save_run
from rnnspec.experiment.training import Task, fit

__all__ = ["Experiment"]


class Experiment:
    """An experiment that is ready to be trained: its data are read, and its model is built.

    Args:
        config: What to do. Where it has no `train.seed`, one is drawn, and written into the run folder.
        accelerator: Lightning's: `auto`, `cpu` or `gpu`.

    Attributes:
        config: The config, with a seed.
        data: The data, standardised if that is asked for.
        model: The model.
        rows: After training, a row an epoch: `epoch`, `seconds`, `train_loss`, `test_accuracy`, ...

    Raises:
        Error: If the data are missing, or the model does not fit them, or a metric cannot be used.
    """

    def __init__(self, config: ExperimentConfig, accelerator: str = "auto") -> None:
        drawn = config.train.seed is None
        seed = secrets.randbits(32) if config.train.seed is None else config.train.seed
        self.config = evolve(config, train=evolve(config.train, seed=seed)) if drawn else config
        _warn_of_drawn_order(config)
        self.data = prepared_data(config, seed)
        self.model = build_model(config, seed=seed, device="cpu" if accelerator == "cpu" else None)
        self.rows: list[Row] = []
        self._accelerator = accelerator
        self._task = Task(self.model, config, self.data.train.classes)

    def table(self) -> str:
        """The table of the model: layers, output shapes, parameters, engines."""
        return model_table(layer_rows(self.model, self.config.input_shape, masked=True))

    def train(self, runs: str | Path = "runs", name: str = "run", progress: bool = True) -> Path:
        """Trains the model and writes its run folder.

        Args:
            runs: The folder of all runs.
            name: The run's name; a number is put behind it.
            progress: Whether to show a progress bar.

        Returns:
            The run folder.

        Raises:
            DataError: If the folder cannot be made, or the loss becomes nan.
            EngineError: If this machine has no such accelerator.
        """
        with RunFolder(Path(runs), name) as folder:
            task, train = self._task, self.config.train
            self.rows = fit(task, self.data, train, accelerator=self._accelerator, progress=progress)
            save_run(folder.path, self.config, self.model, self.data, self.rows, task.confusion_matrices)
        return folder.path


def _warn_of_drawn_order(config: ExperimentConfig) -> None:
    """Warns where a stateful layer goes on from the states of a sequence that stood there by chance."""
    layers = config.model.stateful_layers()
    drawn = {
        "train.shuffle draws a new order every epoch; set it to false": config.train.shuffle,
        "train.validation_split draws sequences at random; set it to 0": config.train.validation_split > 0,
        "train.group_by_length sorts sequences by their length; set it to false": config.train.group_by_length,
    }
    for what, is_drawn in drawn.items():
        if layers and is_drawn:
            warn(f"the stateful {layers[0].label} goes on from the sequence in its row of the batch before, but {what}")
