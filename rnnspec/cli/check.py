"""`rnnspec check`: is a file right? Every mistake at once, without loading torch; a file of Keras gets its report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rnnspec.cli.options import add_command, add_input_shape, add_keras, add_settings, load, print_json
from rnnspec.errors import ConfigError, Error, Problem
from rnnspec.shapes import Shape, format_shape

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    summary = "check files: every mistake at once, each with its line; tell what is in a model of Keras"
    parser = add_command(commands, "check", _run, summary, "rnnspec check model.yaml --set model.1.LSTM.units=128")
    text = "a YAML file: a layer, a list of layers, an experiment; or a model of Keras, the content tells"
    parser.add_argument("files", nargs="+", metavar="FILE", help=text)
    add_settings(parser)
    add_input_shape(parser)
    add_keras(parser)


def _run(arguments: argparse.Namespace) -> int:
    from rnnspec.interop.keras.kinds import is_keras_file

    summaries: dict[str, str] = {}
    reports: dict[str, Any] = {}
    problems: list[Problem] = []
    for file in arguments.files:
        try:
            if is_keras_file(file):
                summaries[file], reports[file] = _keras(arguments, file)
            else:
                summaries[file] = _yaml(arguments, file)
        except Error as error:
            problems += error.problems
    if problems:
        raise Error(*problems)
    if arguments.json:
        told = {"reports": {file: vars(report) for file, report in reports.items()}} if reports else {}
        print_json({"ok": True, "files": summaries, **told})
    elif not arguments.quiet:
        for file, summary in summaries.items():
            print(f"{file}: ok, {summary}")
            print("".join(f"  {line}\n" for line in reports[file].lines()) if file in reports else "", end="")
    return 0


def _yaml(arguments: argparse.Namespace, file: str) -> str:
    """Checks one of our files."""
    if arguments.weights or arguments.keras_version:
        message = "is a YAML file, and --weights and --keras-version are for models of Keras"
        raise ConfigError(Problem(message, file=file))
    return _summary(load(arguments, file), arguments.input_shape)


def _keras(arguments: argparse.Namespace, file: str) -> tuple[str, Any]:
    """Checks a file of Keras: what is in it, and the report."""
    if arguments.settings:
        raise ConfigError(Problem("is a model of Keras, and --set is for YAML files", file=file))
    from rnnspec.interop.keras.reading import examine

    told = {"keras_version": arguments.keras_version, "input_shape": arguments.input_shape}
    config, report = examine(file, arguments.weights, **told)
    return _summary(config, None), report


def _summary(config: Any, input_shape: Shape | None) -> str:
    """What a right file describes, in one line; a shape that cannot be is an error."""
    from rnnspec.config.inference import infer

    inference = infer(config, input_shape)
    if inference.error:
        source = getattr(config, "_source", None)  # none where the config was no YAML file
        raise inference.error.mapped(source.locate) if source else inference.error
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
