"""Imports lead downwards only, and what should be light loads nothing heavy."""

from __future__ import annotations

import shutil
from pathlib import Path

import import_rules
import pytest
from import_rules import BELOW, ROOT, SANCTIONED, UNLOADED, loaded_by, loaded_wrongly, modules, room_of, upward_imports

import rnnspec

HOMES = rnnspec._MODULE_OF
PRESENT = sorted({room_of(name) for name in modules(ROOT)})


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the ground floor, to be broken."""
    (tmp_path / "rnnspec").mkdir()
    for name in ("__init__", "errors", "registry"):
        shutil.copy(ROOT / "rnnspec" / f"{name}.py", tmp_path / "rnnspec")
    return tmp_path


def test_every_room_has_its_floor() -> None:
    assert set(PRESENT) - set(BELOW) == {""}


def test_source_imports_lead_downwards() -> None:
    assert upward_imports(ROOT, HOMES) == []


def test_what_is_sanctioned_is_all_that_leads_upwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_rules, "SANCTIONED", set())
    found = {(line.partition(":")[0], line.split()[-1]) for line in upward_imports(ROOT, HOMES)}

    assert found == {(f"{module.replace('.', '/')}.py", target) for module, target in SANCTIONED}


@pytest.mark.parametrize("room", PRESENT)
def test_a_fresh_process_loads_only_what_lies_below(room: str) -> None:
    assert loaded_wrongly(room) == []


def test_importing_rnnspec_loads_nothing_of_its_own() -> None:
    assert {name for name in loaded_by(["rnnspec"]) if name.startswith("rnnspec.")} == set()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("import rnnspec.nn", "rnnspec.nn", id="import"),
        pytest.param("from rnnspec.nn.base import Layer", "rnnspec.nn.base", id="from a module"),
        pytest.param("from rnnspec import nn", "rnnspec.nn", id="from the package"),
        pytest.param("from rnnspec import build", "rnnspec.factory", id="a lazy name"),
        pytest.param("import rnnspec", "rnnspec", id="the package"),
        pytest.param("def late():\n    from rnnspec.yaml import load", "rnnspec.yaml.load", id="inside a function"),
    ],
)
def test_reading_the_source_finds_an_upward_import(house: Path, line: str, found: str) -> None:
    for folder in ("config", "yaml"):
        (house / "rnnspec" / folder).mkdir()
        (house / "rnnspec" / folder / "__init__.py").touch()
    (house / "rnnspec" / "yaml" / "load.py").touch()
    (house / "rnnspec" / "config" / "core.py").write_text(f"{line}\n")
    last = len(line.splitlines())

    assert upward_imports(house, HOMES) == [f"rnnspec/config/core.py:{last}: config imports {found}"]


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        pytest.param("__init__", "import numpy", "numpy", id="numpy in rnnspec"),
        pytest.param("errors", "import rnnspec.registry", "rnnspec.registry", id="registry in errors"),
        pytest.param("registry", "import attr", "attr", id="attrs in registry"),
    ],
)
def test_a_fresh_process_finds_what_is_loaded_wrongly(house: Path, module: str, line: str, found: str) -> None:
    with (house / "rnnspec" / f"{module}.py").open("a") as file:
        file.write(f"\n{line}\n")
    room = room_of(f"rnnspec.{module}".removesuffix(".__init__"))

    assert found in UNLOADED[room] or found.startswith("rnnspec.")
    assert loaded_wrongly(room, house) == [found]


def test_the_untouched_copy_is_fine(house: Path) -> None:
    assert upward_imports(house, HOMES) == []
    assert [room for room in ("", "errors", "registry") if loaded_wrongly(room, house)] == []
