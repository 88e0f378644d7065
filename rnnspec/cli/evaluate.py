"""`rnnspec evaluate`: what a finished run reaches, on its own data or on others."""

from __future__ import annotations

import argparse
from typing import Any

from rnnspec.cli.options import TRAIN, add_command, add_settings, overrides, print_json, print_values, require

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    example = "rnnspec evaluate runs/japanese_vowels-1 --set 'metrics=[f1_score, auroc]'"
    parser = add_command(commands, "evaluate", _run, "measure loss and metrics of a trained run", example)
    parser.add_argument("folder", metavar="RUN", help="the folder of a run")
    text = "sequences with labels in a .ts or .npz file; the run's own test and validation data if left out"
    parser.add_argument("data", nargs="?", metavar="DATA", help=text)
    add_settings(parser)


def _run(arguments: argparse.Namespace) -> int:
    settings = overrides(arguments)
    require("train", *TRAIN)
    from rnnspec.experiment.data import read_series
    from rnnspec.experiment.evaluation import evaluate, measured_splits
    from rnnspec.experiment.runs import load_run

    run = load_run(arguments.folder, settings)
    own = arguments.data is None
    splits = measured_splits(run) if own else {"data": read_series(arguments.data, run.classes)}
    found = {name: evaluate(run, series) for name, series in splits.items()}
    result = {
        f"{name}_{value}" if own else value: number
        for name, evaluation in found.items()
        for value, number in evaluation.values.items()
    }
    if arguments.json:
        matrices = {name: evaluation.matrices for name, evaluation in found.items()}
        told = {"run": arguments.folder, "result": result, "classes": run.classes, "confusion_matrices": matrices}
        print_json({"ok": True, **told})
    else:
        print_values(result)
    return 0
