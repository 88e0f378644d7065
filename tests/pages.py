"""Runs the code of a Markdown page as its reader would: every block, in order, in one empty folder.

- A block whose first line is `# name.ext` is written to that file, whatever its language.
- `python` runs in one namespace a page. Where a comment after a statement is a literal, it is the value of the
  statement, or its shape. What is printed is what the `text` block after it shows.
- `yaml` without a file name must be a document that loads.
- `console` holds commands after `$ `, each with what it prints, if the page shows it; what went to stderr, a progress
  bar for instance, may be left out. A command succeeds, unless `$ echo $?` after it shows another code.
- `...` in an output stands for anything.
- `bash` holds what cannot be run here: an installation, or make.
"""

from __future__ import annotations

import ast
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import markdown
from cli_cases import Ran, Shell

import rnnspec

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
FILE_NAME = re.compile(r"# ([\w/-]+\.\w+)$")
LANGUAGES = {"bash", "console", "python", "text", "yaml"}


@dataclass(frozen=True)
class Block:
    """One block of code of a page."""

    language: str
    text: str
    line: int
    """The line of its first line, from 1."""


def blocks(page: str) -> list[Block]:
    """The blocks of code in a page's text, with what they include from other files."""
    reader = markdown.Markdown(
        extensions=["pymdownx.snippets"],
        extension_configs={"pymdownx.snippets": {"base_path": [str(ROOT)], "check_paths": True}},
    )
    text = "\n".join(reader.preprocessors["snippet"].run(page.splitlines()))
    return [
        Block(found["language"], textwrap.dedent(found["text"]), text.count("\n", 0, found.start()) + 2)
        for found in FENCE.finditer(text)
    ]


@dataclass
class PageRun:
    """A page that is being run.

    Args:
        name: The page's name, for tracebacks.
        shell: The command line in an empty folder.
    """

    name: str
    shell: Shell
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def run(self, page: str) -> None:
        """Runs all blocks of a page's text."""
        found = blocks(page)
        for block, following in zip(found, [*found[1:], Block("", "", 0)], strict=False):
            named = FILE_NAME.match(block.text.partition("\n")[0])
            if named:
                path = self.shell.folder / named[1]
                path.parent.mkdir(exist_ok=True)
                path.write_text(block.text)
            elif block.language == "python":
                printed = self.run_python(block)
                shown = following.text if following.language == "text" else ""
                self.compare(shown, printed, line=block.line)
            elif block.language == "console":
                self.run_console(block)
            elif block.language == "yaml":
                rnnspec.loads(block.text)
            else:
                assert block.language in LANGUAGES, f"{self.name}:{block.line}: cannot run '{block.language}'"

    def run_python(self, block: Block) -> str:
        """Runs the statements one by one; returns what they printed."""
        tree = ast.increment_lineno(ast.parse(block.text), block.line - 1)
        lines = block.text.splitlines()
        with redirect_stdout(io.StringIO()) as printed:
            for node in tree.body:
                value = self.evaluate(node)
                comment = lines[(node.end_lineno or 0) - block.line].partition("  # ")[2]
                for told in literal(comment):
                    found = getattr(value, "shape", value)
                    assert found == told, f"{self.name}:{node.end_lineno}: found {found!r}, told {comment}"
        return printed.getvalue()

    def evaluate(self, node: ast.stmt) -> Any:
        """Runs a statement; the value of an expression, or of what is assigned to a name."""
        if isinstance(node, ast.Expr):
            return eval(compile(ast.Expression(node.value), self.name, "eval"), self.names)
        exec(compile(ast.Module([node], []), self.name, "exec"), self.names)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            return self.names[node.targets[0].id]
        return None

    def run_console(self, block: Block) -> None:
        """Runs the commands of a block."""
        code = 0
        for command, shown in commands(block.text):
            if command == "echo $?":
                assert int(shown) == code, f"{self.name}:{block.line}: the code is {code}, told {shown.strip()}"
                code = 0
                continue
            assert code == 0, f"{self.name}:{block.line}: the code is {code} before `{command}`"
            ran = self.execute(command)
            code = ran.code
            if shown:
                self.compare(shown, ran.out + ran.err, ran.out, line=block.line)
        assert code == 0, f"{self.name}:{block.line}: the last code is {code}"

    def execute(self, command: str) -> Ran:
        """Runs one command: `rnnspec` in this process, anything else in a shell."""
        program, *arguments = shlex.split(command, comments=True)
        if program == "rnnspec":
            return self.shell(*arguments)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, shell=True, cwd=self.shell.folder, env=environment, capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def compare(self, shown: str, *printed: str, line: int) -> None:
        """Fails where a page shows none of the outputs that it may show."""
        clean = ["".join(f"{text.rstrip()}\n" for text in output.splitlines()) for output in printed]
        same = any(doctest.OutputChecker().check_output(shown, output, doctest.ELLIPSIS) for output in clean)
        assert same, f"{self.name}:{line}: the page shows\n{shown}\nand there was\n{clean[0]}"


def literal(comment: str) -> Iterator[Any]:
    """Yields the value that a comment is, if it is one: a number, a tuple, True, ..."""
    try:
        yield ast.literal_eval(comment)
    except (SyntaxError, ValueError):
        return


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yields the commands of a block, each with the output that follows it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.replace("\\\n", "").partition("\n")
        yield command.strip(), shown
