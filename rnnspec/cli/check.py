"""`rnnspec check`: is a file right? Every mistake at once, without loading torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rnnspec.cli.options import add_command, add_input_shape, add_settings, load, print_json
from rnnspec.errors import Error, Problem
from rnnspec.shapes import Shape, format_shape

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    summary = "check YAML files: every mistake at once, each with its line"
    parser = add_command(commands, "check", _run, summary, "rnnspec check model.yaml --set model.1.LSTM.units=128")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a YAML file: a layer, a list of layers, an experiment"
    )
    add_settings(parser)
    add_input_shape(parser)


def _run(arguments: argparse.Namespace) -> int:
    summaries: dict[str, str] = {}
    problems: list[Problem] = []
    for file in arguments.files:
        try:
            summaries[file] = _summary(load(arguments, file), arguments.input_shape)
        except Error as error:
            problems += error.problems
    if problems:
        raise Error(*problems)
    if arguments.json:
        print_json({"ok": True, "files": summaries})
    elif not arguments.quiet:
        for file, summary in summaries.items():
            print(f"{file}: ok, {summary}")
    return 0


def _summary(config: Any, input_shape: Shape | None) -> str:
    """What a right file describes, in one line; a shape that cannot be is an error."""
    from rnnspec.config.inference import infer

    inference = infer(config, input_shape)
    if inference.error:
        raise inference.error.mapped(config._source.locate)
    kind = "an experiment" if config.identifier == "experiment" else "a model"
    count = len(inference.layers)
    summary = f"{kind} of {count} layer{'s' if count > 1 else ''}"
    inputs = (inference.input_shape,) if inference.inputs is None else inference.inputs
    outputs = (inference.output_shape,) if inference.inputs is None else inference.outputs
    if None in inputs:
        return f"{summary}, its input shape not known"
    return f"{summary}, from {_listed(inputs)} to {_listed(outputs)}"


def _listed(found: Sequence[Shape | None]) -> str:
    return " and ".join("not known" if shape is None else format_shape(shape) for shape in found)
