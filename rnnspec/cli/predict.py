"""`rnnspec predict`: a run's model says what it thinks of sequences."""

from __future__ import annotations

import argparse
import csv
import sys
from typing import Any

from rnnspec.cli.options import TRAIN, add_command, print_json, require

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    example = "rnnspec predict runs/japanese_vowels-1 recordings.npz > predictions.csv"
    parser = add_command(commands, "predict", _run, "predict the class of sequences with a trained run", example)
    parser.add_argument("folder", metavar="RUN", help="the folder of a run")
    text = "sequences in a .ts, .npy or .npz file; the test split of the run's own data if left out"
    parser.add_argument("data", nargs="?", metavar="DATA", help=text)


def _run(arguments: argparse.Namespace) -> int:
    require("train", *TRAIN)
    from rnnspec.experiment.data import read_data, read_series
    from rnnspec.experiment.prediction import judged, predict
    from rnnspec.experiment.runs import load_run

    run = load_run(arguments.folder)
    series = read_series(arguments.data, run.classes) if arguments.data else read_data(run.config).test
    rows = judged(run, series, predict(run, series))
    if arguments.json:
        print_json({"ok": True, "predictions": rows})
        return 0
    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    known = [row for row in rows if row["expected"] is not None]
    if known and not arguments.quiet:
        right = sum(row["label"] == row["expected"] for row in known)
        print(f"accuracy {right / len(known):.4f} ({right} of {len(known)})", file=sys.stderr)
    return 0
