"""The command `rnnspec`: arguments in, calls of the library, text out. One file a command."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import rnnspec
from rnnspec.cli import check, convert, evaluate, fmt, predict, schema, show, train
from rnnspec.cli.imports import imported
from rnnspec.cli.options import Parser, print_json
from rnnspec.errors import ConfigWarning, Error, Problem

__all__ = ["main"]

_EPILOG = """\
example:
  rnnspec check model.yaml        # every mistake at once, with line and column
  rnnspec train examples/japanese_vowels.yaml

exit code: 0 fine, 1 something you gave is wrong, 2 the command line is wrong
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The arguments without the program's name; those of the process if None.

    Returns:
        The exit code: 0 fine, 1 the user's input is wrong, 2 the usage is wrong, 130 interrupted, 141 nobody reads.
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as done:  # argparse has printed its help or its complaint
        return int(done.code or 0)
    try:
        with _plain_warnings(arguments.quiet), imported(arguments.imports):
            code: int = arguments.run(arguments)
        sys.stdout.flush()
    except Error as error:
        return _tell(error, arguments.json)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader, `head` for instance, has seen enough; without this Python complains when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # no permission, a full disk, ...
        file = None if error.filename is None else str(error.filename)
        return _tell(Error(Problem(error.strerror or str(error), file=file)), arguments.json)
    return code


def _tell(error: Error, as_json: bool) -> int:
    """Prints every problem: words for people on stderr, or JSON on stdout."""
    if as_json:
        print_json({"ok": False, "problems": [_plain(problem) for problem in error.problems]})
    else:
        print(error, file=sys.stderr)
    return 1


def _plain(problem: Problem) -> dict[str, object]:
    names = ("message", "path", "hint", "file", "line", "column")
    return {name: getattr(problem, name) for name in names}


@contextmanager
def _plain_warnings(quiet: bool) -> Iterator[None]:
    """Prints rnnspec's own warnings as one line, without the place in rnnspec's source; quiet, not at all."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, ConfigWarning):
            print(f"warning: {message}", file=sys.stderr)
        else:
            usual(message, category, *where, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if quiet else "always", ConfigWarning)
        usual, warnings.showwarning = warnings.showwarning, show
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rnnspec",
        description="Recurrent layers with Keras 2.0.8's exact behaviour, from YAML to PyTorch.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rnnspec {rnnspec.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in (check, show, fmt, train, evaluate, predict, convert, schema):
        command.add_to(commands)
    return parser
