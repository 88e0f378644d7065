"""The names of rnnspec.config: the lazy table, its twin for type checkers, and what the import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rnnspec import config

TABLE = config._MODULE_OF


def test_the_table_and_the_type_checkers_twin_agree() -> None:
    tree = ast.parse(Path(str(config.__file__)).read_text("utf-8"))
    guard = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in guard.body if isinstance(node, ast.ImportFrom)]

    twin = {name.asname: str(node.module).removeprefix("rnnspec.config.") for node in imports for name in node.names}

    assert twin == TABLE


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_name_can_be_loaded(name: str) -> None:
    assert getattr(config, name).__module__ == f"rnnspec.config.{TABLE[name]}"


def test_every_config_class_is_in_the_table() -> None:
    folder = Path(str(config.__file__)).parent
    defined = {
        node.name: path.stem
        for path in folder.glob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Config")
    }

    assert {name: module for name, module in TABLE.items() if name.endswith("Config")} == defined


def test_dir_lists_the_names() -> None:
    assert {*TABLE} <= {*dir(config)}
    assert config.__all__ == sorted(TABLE)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'rnnspec\.config' has no attribute 'LSTM'$"):
        config.LSTM  # noqa: B018


CODE = """
import sys
from rnnspec import from_dict
from rnnspec.config import infer
model = from_dict([{"LSTM": {"units": 3, "input_shape": [5, 4], "return_sequences": True}}] * 50)
assert infer(model, (2, 5, 4)).error is not None
print([name for name in ("torch", "numpy", "ruamel", "lightning") if name in sys.modules])
"""


def test_configs_and_inference_load_nothing_heavy() -> None:
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"


def test_no_class_variable_is_without_its_type() -> None:
    # Python 3.10 cannot resolve the annotations of a class that has one.
    sources = [path.read_text("utf-8") for path in Path(str(config.__file__)).parent.glob("*.py")]

    assert not [source for source in sources if ": ClassVar =" in source]
