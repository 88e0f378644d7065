"""`rnnspec fmt`: one layout for all files; comments and the order of keys are kept."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rnnspec.cli.options import add_command, print_json
from rnnspec.errors import ConfigError

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = add_command(commands, "fmt", _run, "lay YAML files out anew, in place", "rnnspec fmt examples/*.yaml")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a YAML file")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a file would change")


def _run(arguments: argparse.Namespace) -> int:
    from rnnspec.yaml.render import write_text
    from rnnspec.yaml.text import decode, read_bytes
    from rnnspec.yaml.tidy import format_text

    changed, problems = [], []
    for file in arguments.files:
        try:
            text = decode(read_bytes(file), file)
            tidy = format_text(text, file)
            if tidy != text:
                changed.append(file)
                if not arguments.check:
                    write_text(Path(file), tidy)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    if arguments.json:
        print_json({"ok": not (arguments.check and changed), "changed": changed})
    elif not arguments.quiet:
        for file in changed:
            print(f"{file}: {'would change' if arguments.check else 'changed'}")
    return 1 if arguments.check and changed else 0
