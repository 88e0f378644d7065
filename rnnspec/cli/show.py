"""`rnnspec show`: the model of a file as a table, with the engine of each layer and why."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import rnnspec
from rnnspec.cli.options import add_command, add_input_shape, add_settings, load, print_json

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    summary = "show a model's layers, shapes, sizes and engines"
    parser = add_command(commands, "show", _run, summary, "rnnspec show model.yaml --input-shape none,10,12")
    parser.add_argument("file", metavar="FILE", help="a YAML file")
    add_settings(parser)
    add_input_shape(parser)


def _run(arguments: argparse.Namespace) -> int:
    config = load(arguments, arguments.file)
    model = rnnspec.build(config, arguments.input_shape)

    from rnnspec.config.inference import infer
    from rnnspec.display.model_table import layer_rows, model_table

    # A loop over real data brings a mask with it.
    masked = getattr(config, "data", None) is not None
    inference = infer(config, arguments.input_shape)
    several = inference.inputs if inference.inputs and len(inference.inputs) > 1 else None
    rows = layer_rows(model, several or inference.input_shape, masked)
    if arguments.json:
        print_json({"ok": True, "file": arguments.file, "layers": [asdict(row) for row in rows]})
    else:
        print(model_table(rows))
    return 0
