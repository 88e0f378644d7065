"""Name tables: lookup, did-you-mean, users' names."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from rnnspec import registry
from rnnspec.errors import ConfigError
from rnnspec.registry import Decorator, Registry, closest, did_you_mean, register

TABLES = [table for table in vars(registry).values() if isinstance(table, Registry)]


@pytest.fixture
def table() -> Registry:
    return Registry("thing", {"Alpha": 1, "Beta": "collections:OrderedDict"})


@pytest.fixture
def _forget() -> Iterator[None]:
    before = [dict(table._added) for table in TABLES]
    yield
    for table, added in zip(TABLES, before, strict=True):
        table._added = added


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("unit", "units"),
        ("Units", "units"),
        ("use-bias", "use_bias"),
        ("usebias", "use_bias"),
        ("glorot_unifrom", "GlorotUniform"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_closest_choice_is_found(name: str, choice: str | None) -> None:
    choices = ["units", "use_bias", "GlorotUniform"]

    assert closest(name, choices) == choice
    assert did_you_mean(name, choices) == (f"did you mean '{choice}'?" if choice else None)


def test_a_name_is_found(table: Registry) -> None:
    assert table.find("Alpha") == 1


def test_a_path_is_imported_when_it_is_asked_for(table: Registry) -> None:
    from collections import OrderedDict

    assert table.find("Beta") is OrderedDict


def test_an_unknown_name_is_an_error_that_lists_the_names(table: Registry) -> None:
    with pytest.raises(ConfigError) as error:
        table.find("Alpa")

    assert str(error.value) == "unknown thing 'Alpa', expected one of Alpha, Beta\n  hint: did you mean 'Alpha'?"


def test_an_empty_table_tells_how_to_register() -> None:
    with pytest.raises(ConfigError) as error:
        Registry("thing", {}).find("Alpha")

    assert (
        str(error.value)
        == "unknown thing 'Alpha', none is registered\n  hint: register it with @rnnspec.register.thing"
    )


def test_require_imports_nothing() -> None:
    Registry("thing", {"Broken": "no_such_module:Thing"}).require("Broken")


def test_a_users_name_is_added_and_replaced(table: Registry) -> None:
    table.add("Gamma", 3)
    table.add("Gamma", 4)

    assert table.find("Gamma") == 4
    assert "Gamma" in table
    assert table.names() == ["Alpha", "Beta", "Gamma"]
    assert table.is_users("Gamma")
    assert not table.is_users("Alpha")


def test_a_built_in_name_cannot_be_replaced(table: Registry) -> None:
    with pytest.raises(ConfigError) as error:
        table.add("Alpha", 3)

    assert str(error.value) == "the thing 'Alpha' is built in and cannot be replaced\n  hint: choose another name"


def test_a_decorator_takes_the_name_of_the_thing_or_a_given_one(table: Registry) -> None:
    decorator = Decorator(table)

    @decorator
    def gamma() -> None: ...

    @decorator("Delta")
    class Other: ...

    assert table.find("gamma") is gamma
    assert table.find("Delta") is Other


@pytest.mark.usefixtures("_forget")
@pytest.mark.parametrize(
    "kind", ["layer", "cell", "activation", "initializer", "regularizer", "constraint", "function"]
)
def test_register_has_a_decorator_for_every_kind_of_users_thing(kind: str) -> None:
    def thing() -> None: ...

    assert getattr(register, kind)("Thing")(thing) is thing
    tables = [table for table in TABLES if table.is_users("Thing")]
    assert [table.kind for table in tables] == [kind]


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=f"{table.kind} {name}") for table in TABLES for name, path in table._builtin.items()],
)
def test_every_built_in_path_leads_somewhere(path: str) -> None:
    module, _, attribute = path.partition(":")

    assert hasattr(importlib.import_module(module), attribute)


def test_an_object_is_found_by_the_name_that_a_user_gave_it() -> None:
    registry = Registry("cell", {"LSTM": "module:LSTM"})
    thing = object()
    registry.add("mine", thing)

    assert registry.name_of(thing) == "mine"
    assert registry.name_of(object()) is None
