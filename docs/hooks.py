"""What the site takes from elsewhere, so that nothing is said twice: pages, examples, pictures, help.

MkDocs calls these functions by their names.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from rnnspec import cli

ROOT = Path(__file__).resolve().parent.parent
ALL_OF = re.compile(r"^::: (rnnspec\.\w+)\.(\w+)\.\*$", re.MULTILINE)
COMMANDS = sorted(name for name, module in vars(cli).items() if hasattr(module, "add_to"))


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the changelog and the guide for contributors as pages, the examples to link to, and pictures."""
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name.lower(), content=text))
    for path in sorted((ROOT / "examples").iterdir()):
        if path.is_file():
            files.append(File.generated(config, f"examples/{path.name}", abs_src_path=str(path)))
    for name, content in pictures():
        files.append(File.generated(config, f"how-to/{name}", content=content))
    return files


def pictures() -> Iterator[tuple[str, bytes]]:
    """Yields the pictures that a page's code saves, each with its name there."""
    page = (ROOT / "docs" / "how-to" / "see-inside.md").read_text("utf-8")
    code = re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    last = max(index for index, block in enumerate(code) if "savefig" in block)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "\n".join(code[: last + 1])]
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PYTHONPATH": path})
        yield from ((picture.name, picture.read_bytes()) for picture in Path(folder).glob("*.png"))


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Writes out the names that a page leaves to the package, and what every command says with `--help`."""
    text = ALL_OF.sub(lambda found: blocks(*found.groups()), markdown)
    if page.file.src_uri == "reference/command-line.md":
        text += "".join(f"\n## rnnspec {name}\n\n```text\n{usage(name)}```\n" for name in COMMANDS)
    return text


def blocks(package: str, module: str) -> str:
    """The blocks of the reference for `::: package.module.*`: the module's classes that the package makes public."""
    public = importlib.import_module(package).__all__
    things = vars(importlib.import_module(f"{package}.{module}")).items()
    names = [name for name, thing in things if name in public and thing.__module__ == f"{package}.{module}"]
    return "\n\n".join(f"::: {package}.{name}" for name in names)


def usage(*command: str) -> str:
    """What `rnnspec COMMAND --help` prints, 80 columns wide."""
    text = io.StringIO()
    with patch.dict("os.environ", COLUMNS="80", NO_COLOR="1"), redirect_stdout(text):
        cli.main([*command, "--help"])
    return text.getvalue()
