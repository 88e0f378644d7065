"""Variables: `vars:` and `${name}`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from rnnspec.errors import ConfigError, word
from rnnspec.yaml.substitute import escape, references, substitute


@pytest.mark.parametrize(
    ("data", "result"),
    [
        pytest.param({"vars": {"u": 64}, "a": "${u}"}, {"a": 64}, id="a number stays one"),
        pytest.param({"vars": {"u": None}, "a": ["${u}"]}, {"a": [None]}, id="null"),
        pytest.param({"vars": {"u": [1, {"b": 2}]}, "a": "${u}"}, {"a": [1, {"b": 2}]}, id="a list"),
        pytest.param({"vars": {"u": "64"}, "a": "${u}"}, {"a": "64"}, id="a text stays one"),
        pytest.param({"vars": {"u": 64}, "a": "n${u}-${u}"}, {"a": "n64-64"}, id="inside a text"),
        pytest.param({"vars": {"u": 64}, "a": "${u}${u}"}, {"a": "6464"}, id="two references are a text"),
        pytest.param({"vars": {"u": 64}, "a": " ${u}"}, {"a": " 64"}, id="with a space it is a text"),
        pytest.param({"vars": {"u": True, "v": None}, "a": "${u} ${v}"}, {"a": "true null"}, id="written as in YAML"),
        pytest.param({"vars": {"u": 1e-05}, "a": "x${u}"}, {"a": "x1e-05"}, id="float in a text"),
        pytest.param({"a": "$${u} $ $x {y} $$"}, {"a": "${u} $ $x {y} $$"}, id="escaped"),
        pytest.param({"vars": {"u": 1}, "a": "$$$${u}${u}"}, {"a": "$$${u}1"}, id="dollars before"),
        pytest.param({"$${a}": 1}, {"${a}": 1}, id="escaped in a key"),
        pytest.param({"vars": {"b": "${a}", "a": 3}, "x": "${b}"}, {"x": 3}, id="a variable from a later one"),
        pytest.param({"vars": {"a b": 3}, "x": "${a b}"}, {"x": 3}, id="any name"),
        pytest.param({"vars": None, "a": 1}, {"a": 1}, id="empty vars"),
        pytest.param({"vars": {}}, {}, id="nothing but vars"),
        pytest.param([{"vars": "x"}], [{"vars": "x"}], id="vars below the top are data"),
        pytest.param("Flatten", "Flatten", id="a text alone"),
        pytest.param(None, None, id="null alone"),
    ],
)
def test_references_become_values(data: Any, result: Any) -> None:
    found = substitute(data)
    assert (found.data, found.problems, found.spoiled) == (result, [], set())


def test_every_use_is_a_copy_and_the_document_stays() -> None:
    data = {"vars": {"u": [1]}, "a": "${u}", "b": "${u}"}
    found = substitute(data).data
    found["a"].append(2)
    assert found == {"a": [1, 2], "b": [1]}
    assert data == {"vars": {"u": [1]}, "a": "${u}", "b": "${u}"}


def test_origins_name_indirect_variables_too() -> None:
    found = substitute({"vars": {"a": 1, "b": "${a}", "c": 2}, "x": ["${b}", "${c} ${a}"]})
    assert found.origins[("x", 0)] == {"a", "b"}
    assert found.origins[("x", 1)] == {"a", "c"}


def nested(value: Any, depth: int) -> Any:
    return [nested(value, depth - 1)] if depth else value


PROBLEMS = [
    (
        "unknown",
        {"vars": {"units": 3}, "a": "${unit}"},
        ["a: there is no variable 'unit'\n  hint: did you mean 'units'?"],
    ),
    (
        "unknown, nothing near",
        {"vars": {"x": 3, "yy": 4}, "a": "${unit} ${x} ${yy}"},
        ["a: there is no variable 'unit'\n  hint: vars has x, yy"],
    ),
    ("no vars", [{"a": "${x}"}], ["[0].a: there is no variable 'x'\n  hint: the document has no vars"]),
    ("unused", {"vars": {"u": 3}, "a": 1}, ["vars.u: the variable 'u' is never used"]),
    ("vars is a list", {"vars": [1], "a": "${x}"}, ["vars must be a mapping from names to values, found a list"]),
    ("not closed", {"a": "${x"}, ["a: '${' begins no reference\n  hint: write ${name}, or $${ for the letters"]),
    ("no name", {"a": "x${}"}, ["a: '${' begins no reference\n  hint: write ${name}, or $${ for the letters"]),
    (
        "list in a text",
        {"vars": {"u": [1]}, "a": "x${u}"},
        ["a: the variable 'u' is a list, it cannot stand inside a text"],
    ),
    ("in a key", {"vars": {"u": 3}, "${u}": 1}, ["${u}: '${u}' cannot be part of a key, only of a value"]),
    ("itself", {"vars": {"u": "${u}"}, "a": "${u}"}, ["vars.u: variables refer to each other in a circle: u -> u"]),
    (
        "circle",
        {"vars": {"x": "${c}", "a": "${b}", "b": ["${c}"], "c": "${a}"}, "y": "${x}"},
        ["vars.a: variables refer to each other in a circle: a -> b -> c -> a"],
    ),
    (
        "two circles",
        {"vars": {"a": "${b}", "b": "${a}", "c": "${c}", "d": "${a}${c}"}, "y": "${d}"},
        [
            "vars.a: variables refer to each other in a circle: a -> b -> a",
            "vars.c: variables refer to each other in a circle: c -> c",
        ],
    ),
    (
        "what follows from a mistake is not said",
        {"vars": {"a": "${no}", "b": "${a}"}, "x": "${b}"},
        ["vars.a: there is no variable 'no'\n  hint: vars has a, b"],
    ),
    (
        "too deep",
        {"vars": {"a": [[[]]], "b": [["${a}"]]}, "x": ["${b}"], "y": nested("${a}", 47)},
        [f"y{'[0]' * 47}: more than 50 lists and mappings inside one another"],
    ),
]


@pytest.mark.parametrize(("data", "said"), [pytest.param(*case[1:], id=case[0]) for case in PROBLEMS])
def test_problems_have_a_path(data: Any, said: list[str]) -> None:
    found = substitute(data).problems
    assert sorted(map(word, found)) == sorted(said)


def test_problems_of_keys_are_at_the_key() -> None:
    found = substitute({"vars": {"u": 3}, "${x}": 1}).problems
    assert [problem.at_key for problem in found] == [True, True]


def test_what_a_problem_touches_is_spoiled() -> None:
    found = substitute({"vars": {"a": "${no}", "b": 1}, "x": ["${a}", "${b}", "${c}"], "${b}": 1}, [("vars", "b")])
    assert found.spoiled == {("vars", "b"), ("vars", "a"), ("x", 0), ("x", 1), ("x", 2), ("${b}",)}


@pytest.mark.parametrize("spoiled", [("vars",), ("vars", "<<")])
def test_where_vars_is_wrong_no_variable_is_unknown(spoiled: tuple[str, ...]) -> None:
    found = substitute({"vars": None, "x": "${a}"}, [spoiled])
    assert found.problems == []
    assert ("x",) in found.spoiled


def test_a_reference_that_an_override_replaced_counts_as_a_use() -> None:
    assert substitute({"vars": {"u": 1}}, also_used={"u"}).problems == []


@pytest.mark.parametrize("as_list", [True, False])
def test_bombs_of_variables_are_refused(as_list: bool) -> None:
    variables: dict[str, Any] = {"v12": "x" * 50}
    for level in range(12):
        reference = f"${{v{level + 1}}}"
        variables[f"v{level}"] = [reference] * 9 if as_list else reference * 9
    with pytest.raises(ConfigError) as error:
        substitute({"vars": variables, "a": "${v0}"})
    assert error.value.problems[0].message == "more than 200,000 values with every variable written out"


def test_too_many_variables_are_refused_at_once() -> None:
    variables = {f"v{index}": f"${{v{index + 1}}}" for index in range(1001)}
    with pytest.raises(ConfigError) as error:
        substitute({"vars": variables})
    assert str(error.value) == "vars: more than 1,000 variables"
    assert substitute({"vars": {f"v{index}": 1 for index in range(1000)}}, also_used=variables).problems == []


def test_references_are_found_everywhere() -> None:
    assert references({"${a}": ["${b}x", 1, {"c": "$${d}"}]}) == {"a", "b"}


DOLLARS = st.text(st.sampled_from("${}xu"))


@given(st.recursive(DOLLARS, lambda inner: st.lists(inner) | st.dictionaries(DOLLARS, inner)))
def test_escaped_data_come_back(data: Any) -> None:
    found = substitute(escape(data))
    assert (found.data, found.problems) == (data, [])
