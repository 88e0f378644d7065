"""`rnnspec convert`: a model from one kind of file into another; the ending of the target tells which."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnnspec.cli.options import add_command, add_input_shape, add_keras, print_json
from rnnspec.errors import ConfigError, Problem

__all__ = ["add_to"]

_TARGETS = """

the ending of TARGET tells what is written:
  .yaml, .yml   the model's YAML, and its weights beside it in a .safetensors file
  .keras        a file that Keras 3 opens
"""


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    summary = "write a model of Keras as YAML and safetensors, or a model as a file for Keras 3"
    parser = add_command(commands, "convert", _run, summary, "rnnspec convert old.h5 model.yaml" + _TARGETS)
    text = (
        "a model of Keras, 1.2 to 3: .h5, .keras, or the text of to_json() or to_yaml(); or a YAML file of ours, with "
        "its weights in a .safetensors file beside it; the content tells"
    )
    parser.add_argument("source", metavar="SOURCE", help=text)
    parser.add_argument("target", metavar="TARGET", type=_target, help="the file to write")
    add_keras(parser)
    add_input_shape(parser)
    parser.add_argument("--force", action="store_true", help="replace files that are there")


def _target(text: str) -> str:
    if Path(text).suffix not in CONVERSIONS:
        raise argparse.ArgumentTypeError(f"expected a name that ends in {', '.join(CONVERSIONS)}, found '{text}'")
    return text


def _run(arguments: argparse.Namespace) -> int:
    return CONVERSIONS[Path(arguments.target).suffix](arguments)


def _to_yaml(arguments: argparse.Namespace) -> int:
    from rnnspec.interop.keras.converting import keras_to_yaml, weights_beside

    _refuse_existing(arguments, arguments.target, str(weights_beside(arguments.target)))
    done = keras_to_yaml(arguments.source, arguments.target, arguments.weights, **_told(arguments))
    if arguments.json:
        print_json({"ok": True, "files": done.files, "report": vars(done.report), "difference": done.difference})
    elif not arguments.quiet:
        print("\n".join(done.lines()))
    return 0


def _to_keras(arguments: argparse.Namespace) -> int:
    import rnnspec
    from rnnspec.interop.keras.converting import read_any

    _refuse_existing(arguments, arguments.target)
    model, read = read_any(arguments.source, arguments.weights, **_told(arguments))
    written = rnnspec.to_keras(model, arguments.target)
    if arguments.json:
        report = vars(read) if read else None
        print_json({"ok": True, "files": [arguments.target], "report": report, "written": vars(written)})
    elif not arguments.quiet:
        print(*([read, ""] if read else []), written, sep="\n")
    return 0


def _told(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the command line says of a source that does not tell it itself."""
    return {"keras_version": arguments.keras_version, "input_shape": arguments.input_shape}


def _refuse_existing(arguments: argparse.Namespace, *files: str) -> None:
    """Refuses to replace files, unless told to."""
    there = [file for file in files if Path(file).exists()]
    if there and not arguments.force:
        raise ConfigError(*(Problem("is there already", file=file, hint="--force replaces it") for file in there))


CONVERSIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    ".yaml": _to_yaml,
    ".yml": _to_yaml,
    ".keras": _to_keras,
}
"""What writes a target, by the ending of its name."""
