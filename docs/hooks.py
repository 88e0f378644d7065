"""What the site takes from elsewhere, so that nothing is said twice: pages of the root, examples, the commands' help.

MkDocs calls these functions by their names.
"""

from __future__ import annotations

import importlib
import io
import re
from contextlib import redirect_stdout
from pathlib import Path
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
    """Adds the changelog and the guide for contributors as pages, and the examples as files that pages link to."""
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name.lower(), content=text))
    for path in sorted((ROOT / "examples").iterdir()):
        if path.is_file():
            files.append(File.generated(config, f"examples/{path.name}", abs_src_path=str(path)))
    return files


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
