"""`rnnspec schema`: the JSON Schema of a file."""

from __future__ import annotations

import json
from pathlib import Path

from cli_cases import Shell

from rnnspec.config.json_schema import json_schema


def test_it_is_printed(shell: Shell) -> None:
    ran = shell("schema")

    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == json_schema()


def test_it_can_be_written_into_a_file(shell: Shell) -> None:
    ran = shell("schema", "--output", "rnnspec.schema.json")

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    text = Path("rnnspec.schema.json").read_text()
    assert json.loads(text) == json_schema()
    assert text.endswith("}\n")


def test_a_place_that_cannot_be_written_is_told(shell: Shell) -> None:
    ran = shell("schema", "--output", "nowhere/a.json")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith("No such file or directory\n")


def test_imported_modules_add_their_names(shell: Shell) -> None:
    shell.write("own_layer.py", "import rnnspec\n\n@rnnspec.register.layer\ndef Own(units, deep=False): ...\n")

    found = json.loads(shell("schema", "--import", "own_layer").out)

    own = found["$defs"]["Module"]["else"]["else"]["properties"]["Own"]["else"]
    assert own["properties"] == {"units": {}, "deep": {"default": False}}


def test_the_help_tells_editors_line(shell: Shell) -> None:
    out = shell("schema", "--help").out

    assert "  rnnspec schema > rnnspec.schema.json\n" in out
    assert "  # yaml-language-server: $schema=rnnspec.schema.json\n" in out
