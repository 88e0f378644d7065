"""Options that several commands share, and what they mean."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rnnspec
from rnnspec.errors import Error, Problem
from rnnspec.shapes import Shape

__all__ = [
    "TRAIN",
    "Parser",
    "add_command",
    "add_input_shape",
    "add_keras",
    "add_settings",
    "load",
    "overrides",
    "print_json",
    "print_values",
    "require",
]

TRAIN = ("matplotlib", "numpy", "pytorch_lightning", "safetensors", "torchmetrics")
"""What the extra `train` brings."""


class Parser(argparse.ArgumentParser):
    """A parser that takes options and files in any order: `predict RUN --import cells DATA`."""

    _intermixed = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parses options first, then what is left; argparse calls this method again for each of the two."""
        if self._intermixed:
            return super().parse_known_args(args, namespace)
        self._intermixed = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixed = False


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], summary: str, example: str
) -> argparse.ArgumentParser:
    """Adds a command with the options that all commands have.

    Args:
        commands: What `ArgumentParser.add_subparsers` gave.
        name: The command.
        run: Does the work and returns the exit code.
        summary: One line about it.
        example: A command line that works.

    Returns:
        The command's parser, for its own arguments.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else, for machines")
    parser.add_argument("--quiet", action="store_true", help="print the result and errors alone, no warnings")
    text = "import a module that registers layers, cells or functions; may be repeated"
    parser.add_argument("--import", action="append", default=[], dest="imports", metavar="MODULE", help=text)
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds `--set PATH=VALUE`."""
    text = "replace a value of the file, for example model.1.LSTM.units=128; may be repeated, the last one counts"
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="PATH=VALUE", help=text)


def add_input_shape(parser: argparse.ArgumentParser) -> None:
    """Adds `--input-shape none,10,12`."""
    text = "the input's shape with the batch, for example none,10,12; not needed where the file tells it"
    parser.add_argument("--input-shape", type=_shape, metavar="SHAPE", help=text)


def add_keras(parser: argparse.ArgumentParser) -> None:
    """Adds `--weights FILE` and `--keras-version VERSION`."""
    text = "a file with the weights, where the model's own holds none: .h5, .weights.h5 or .keras"
    parser.add_argument("--weights", metavar="FILE", help=text)
    text = "the version of Keras that wrote the model, for example 2.2.4; needed where the file does not tell it"
    parser.add_argument("--keras-version", metavar="VERSION", help=text)


def _shape(text: str) -> Shape:
    sizes = [size.strip().lower() for size in text.split(",")]
    if not all(size == "none" or size.isdecimal() for size in sizes):
        raise argparse.ArgumentTypeError(f"expected sizes such as none,10,12, found '{text}'")
    return tuple(None if size == "none" else int(size) for size in sizes)


def load(arguments: argparse.Namespace, file: str) -> Any:
    """Loads a file with the command line's settings.

    Args:
        arguments: The command line.
        file: The YAML file.

    Returns:
        The config.

    Raises:
        Error: If the file or a setting is wrong.
    """
    return rnnspec.load(file, overrides=overrides(arguments))


def overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    """The values of `--set` by path, in their order.

    Args:
        arguments: The command line.

    Returns:
        The values.

    Raises:
        Error: If a setting is wrong.
    """
    from rnnspec.yaml.overrides import read_overrides

    return read_overrides(arguments.settings)


def print_values(values: Mapping[str, float]) -> None:
    """Prints numbers for people, a line each: `test accuracy 0.9811`."""
    for name, value in values.items():
        print(f"{name.replace('_', ' ')} {value:.4f}")


def print_json(data: object) -> None:
    """Prints plain data for machines."""
    import json  # the commands that print words start faster without it

    print(json.dumps(data, indent=2))


def require(extra: str, *modules: str) -> None:
    """Refuses a command whose optional packages are not installed.

    Args:
        extra: The extra of rnnspec that brings them.
        *modules: What the command imports.

    Raises:
        Error: If one is missing.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        message = f"this command needs packages that are not installed: {', '.join(missing)}"
        raise Error(Problem(message, hint=f"pip install 'rnnspec[{extra}]'"))
