"""`rnnspec schema`: what a file may hold, as JSON Schema, for editors and for other programs.

An editor with the YAML language server completes and checks a file that begins with

    # yaml-language-server: $schema=rnnspec.schema.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rnnspec.cli.options import add_command

__all__ = ["add_to"]

_EDITORS = """

for editors with the YAML language server, the first line of a file:
  # yaml-language-server: $schema=rnnspec.schema.json
"""


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    example = "rnnspec schema > rnnspec.schema.json"
    parser = add_command(commands, "schema", _run, "print the JSON Schema of rnnspec's files", example + _EDITORS)
    parser.add_argument("--output", metavar="FILE", help="write it into this file; an existing one is replaced")


def _run(arguments: argparse.Namespace) -> int:
    from rnnspec.config.json_schema import json_schema

    text = json.dumps(json_schema(), indent=1)
    if arguments.output is None:
        print(text)
    else:
        from rnnspec.yaml.render import write_text

        write_text(Path(arguments.output), f"{text}\n")
    return 0
