"""The public names of rnnspec: the table of lazy names, its twin for type checkers, and what the names hold."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

import rnnspec

TABLE = rnnspec._MODULE_OF


def twin(source: str) -> dict[str, str]:
    """The names of the TYPE_CHECKING block, each with its module, as the table writes it."""
    guard = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    found = {}
    for node in guard.body:
        assert isinstance(node, ast.ImportFrom)
        for name in node.names:
            assert name.asname == name.name, f"{name.name} is not marked as public"
            found[name.name] = f"rnnspec.{name.name}" if node.module == "rnnspec" else str(node.module)
    return found


def test_the_table_and_the_type_checkers_twin_agree() -> None:
    assert twin(Path(rnnspec.__file__).read_text("utf-8")) == TABLE


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("from rnnspec.errors import Error as Error", id="a name is missing"),
        pytest.param("from rnnspec import nn as nn, config as config", id="a name too many"),
        pytest.param("from rnnspec.config import nn as nn", id="another module"),
    ],
)
def test_the_comparison_can_fail(block: str) -> None:
    table = {"nn": "rnnspec.nn", "Error": "rnnspec.errors"}

    assert twin(f"if TYPE_CHECKING:\n    from rnnspec.errors import Error as Error\n    {block}\n") != table


def test_the_table_is_sorted() -> None:
    assert list(TABLE) == sorted(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_every_public_name_can_be_loaded(name: str) -> None:
    module = TABLE[name]
    found = getattr(rnnspec, name)

    assert found.__name__ == module if module == f"rnnspec.{name}" else found is not None
    assert find_spec(module) is not None


def test_dir_lists_every_public_name() -> None:
    assert set(rnnspec.__all__) == {*TABLE, "__version__"}
    assert set(rnnspec.__all__) <= set(dir(rnnspec))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError) as caught:
        rnnspec.LSTMM  # noqa: B018

    assert str(caught.value) == "module 'rnnspec' has no attribute 'LSTMM'"
