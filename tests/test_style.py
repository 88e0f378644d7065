"""The house's limits, held by machine: sizes, docstrings of public names, no path of anybody's machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE = 400
MAX_FUNCTION = 50
# Written so that this line is not one itself.
MACHINE_PATH = re.compile(r"(?<![\w.:/}>])/(home|root|tmp|work|Users|mnt|opt|srv|var/folders)/\w")
TEXT = {"", ".cfg", ".in", ".ipynb", ".json", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def files(*folders: str, suffixes: set[str]) -> list[Path]:
    """The files in these folders; a folder that does not exist yet holds none."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in suffixes and not {"__pycache__", ".hypothesis"} & {*path.parts}
    )


PYTHON = files("rnnspec", "tests", "examples", "benchmarks", suffixes={".py"})
TOP = [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.suffix in TEXT and path.name[0] != "."]
TEXTS = [*TOP, *files("rnnspec", "tests", "examples", "benchmarks", "docs", ".ci", suffixes=TEXT)]


def too_long(source: str) -> Iterator[str]:
    """Yields what is wrong with a file's sizes."""
    lines = len(source.splitlines())
    if lines > MAX_FILE:
        yield f"the file has {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function) and (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION:
            yield f"{node.lineno}: {node.name} has {length} lines"


def undocumented(source: str) -> Iterator[str]:
    """Yields every public module, class, function and method that has no docstring."""
    stack: list[tuple[str, ast.AST]] = [("the module", ast.parse(source))]
    while stack:
        name, node = stack.pop()
        if ast.get_docstring(node) is None:  # type: ignore[arg-type]
            yield f"{getattr(node, 'lineno', 1)}: {name}"
        # What stands inside a function is nobody's business.
        for child in () if isinstance(node, Function) else ast.iter_child_nodes(node):
            if isinstance(child, (*Function, ast.ClassDef)) and child.name[0] != "_" and not exempt(child):
                stack.append((child.name, child))


def exempt(node: ast.AST) -> bool:
    """Whether a function only adds to one that is documented: an overload, or a property's setter."""
    decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(name.rpartition(".")[2] in {"overload", "setter", "deleter"} for name in decorators)


def machine_paths(text: str) -> Iterator[str]:
    """Yields the lines that name a path of somebody's machine."""
    for number, line in enumerate(text.splitlines(), start=1):
        if MACHINE_PATH.search(line):
            yield f"{number}: {line.strip()}"


def wrong(paths: list[Path], find: Callable[[str], Iterator[str]]) -> list[str]:
    """Everything that a check finds in these files, as `file:line: what`."""
    return [f"{path.relative_to(ROOT)}:{found}" for path in paths for found in find(path.read_text("utf-8"))]


def test_no_file_and_no_function_is_too_long() -> None:
    assert wrong(PYTHON, too_long) == []


def test_everything_public_has_a_docstring() -> None:
    assert wrong(files("rnnspec", suffixes={".py"}), undocumented) == []


def test_no_file_names_a_machine_path() -> None:
    assert wrong(TEXTS, machine_paths) == []


def test_the_checks_see_this_project() -> None:
    assert {ROOT / "setup.cfg", ROOT / "rnnspec" / "errors.py", Path(__file__).resolve()} <= {*TEXTS}
    assert {ROOT / "rnnspec" / "errors.py", Path(__file__).resolve()} <= {*PYTHON}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("x = 1\n" * 400, [], id="400 lines"),
        pytest.param("x = 1\n" * 401, ["the file has 401 lines"], id="401 lines"),
        pytest.param("def f():\n" + "    x = 1\n" * 49, [], id="a function of 50"),
        pytest.param("def f():\n" + "    x = 1\n" * 50, ["1: f has 51 lines"], id="a function of 51"),
        pytest.param(
            "class A:\n    def f(self):\n" + "        x = 1\n" * 50, ["2: f has 51 lines"], id="a method of 51"
        ),
    ],
)
def test_sizes_are_measured(source: str, found: list[str]) -> None:
    assert list(too_long(source)) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("", ["1: the module"], id="module"),
        pytest.param('"""M."""\ndef f(): ...', ["2: f"], id="function"),
        pytest.param('"""M."""\nclass A: ...', ["2: A"], id="class"),
        pytest.param('"""M."""\nclass A:\n    """A."""\n    def f(self): ...', ["4: f"], id="method"),
        pytest.param('"""M."""\ndef _f(): ...\nclass _A:\n    def f(self): ...', [], id="private"),
        pytest.param('"""M."""\ndef f():\n    """F."""\n    def g(): ...', [], id="inside a function"),
        pytest.param('"""M."""\n@typing.overload\ndef f(): ...', [], id="overload"),
        pytest.param('"""M."""\n@property\ndef f(): ...\n@f.setter\ndef f(x): ...', ["3: f"], id="setter"),
    ],
)
def test_missing_docstrings_are_found(source: str, found: list[str]) -> None:
    assert list(undocumented(source)) == found


@pytest.mark.parametrize("folder", ["home", "root", "tmp", "work", "Users", "var/folders"])
def test_machine_paths_are_found(folder: str) -> None:
    line = f'open("/{folder}/somebody/model.yaml")'

    assert list(machine_paths(f"fine\n{line}\n")) == [f"2: {line}"]


@pytest.mark.parametrize("text", ["docs/work/notes.md", "https://example.org/home/page", "../tmp/x", "{root}/tmp/x"])
def test_other_paths_are_fine(text: str) -> None:
    assert list(machine_paths(text)) == []
