"""`rnnspec train`: an experiment's file becomes a trained model in a run folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rnnspec.cli.options import TRAIN, add_command, add_settings, load, print_json, print_values, require
from rnnspec.errors import ConfigError, Problem

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    example = "rnnspec train examples/japanese_vowels.yaml --set train.epochs=10"
    parser = add_command(commands, "train", _run, "train an experiment and write its run folder", example)
    parser.add_argument("file", metavar="FILE", help="a YAML file with data beside its model")
    parser.add_argument("--runs", default="runs", metavar="FOLDER", help="where run folders go (default: runs)")
    text = "where to compute: auto (default), cpu or gpu"
    parser.add_argument("--accelerator", choices=("auto", "cpu", "gpu"), default="auto", help=text)
    add_settings(parser)


def _run(arguments: argparse.Namespace) -> int:
    config = load(arguments, arguments.file)
    if config.identifier != "experiment":
        message = "is a model alone, training needs an experiment"
        hint = "put `data: JapaneseVowels` beside `model:`"
        raise ConfigError(Problem(message, hint=hint, file=arguments.file))
    require("train", *TRAIN)
    from rnnspec.experiment.experiment import Experiment

    experiment = Experiment(config, arguments.accelerator)
    told = not (arguments.json or arguments.quiet)
    if told:
        print(experiment.table(), flush=True)
    folder = experiment.train(arguments.runs, Path(arguments.file).stem, progress=told)
    result = experiment.rows[-1]
    if arguments.json:
        print_json({"ok": True, "run": str(folder), "result": result})
        return 0
    print_values({name: value for name, value in result.items() if name.startswith("test_")})
    print(f"run folder {folder}")
    return 0
