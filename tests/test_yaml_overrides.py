"""Overrides: `{"model.1.LSTM.units": 128}` and `--set model.1.LSTM.units=128`."""

from __future__ import annotations

from typing import Any

import pytest

from rnnspec.errors import ConfigError, word
from rnnspec.yaml.overrides import Override, apply, read_override, read_overrides


def document() -> dict[str, Any]:
    return {"vars": {"u": 1}, "model": [{"LSTM": {"units": 3, "input_shape": [10, 4]}}, {"Flatten": None}, "Dense"]}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a.b=3", "a.b", 3),
        ("a=1e-3", "a", 0.001),
        ("a=relu", "a", "relu"),
        ("a='3'", "a", "3"),
        ("a=null", "a", None),
        ("a= ", "a", None),
        ("a=[10, 3]", "a", [10, 3]),
        ("a={Orthogonal: {gain: 2}}", "a", {"Orthogonal": {"gain": 2}}),
        ("a=b=c", "a", "b=c"),
        ("a=${u}", "a", "${u}"),
    ],
)
def test_values_on_a_command_line_are_yaml(text: str, path: str, value: Any) -> None:
    assert read_override(text) == (path, value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.b", "an override must be PATH=VALUE, found 'a.b'"),
        ("a=[1", "override a=[1: the list that begins here has no end\n  hint: close it with ']'"),
        ("a=!x 1", "override a=!x 1: the tag '!x' is not allowed here\n  hint: remove the tag"),
    ],
)
def test_a_wrong_override_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_override(text)
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("model.0.LSTM.units", ("model", 0, "LSTM", "units")),
        ("model[0].LSTM.units", ("model", 0, "LSTM", "units")),
        ("model.0.LSTM.dropout", ("model", 0, "LSTM", "dropout")),
        ("model.0.LSTM.input_shape[1]", ("model", 0, "LSTM", "input_shape", 1)),
        ("model.1.Flatten.name", ("model", 1, "Flatten", "name")),
        ("model.2", ("model", 2)),
        ("vars.u", ("vars", "u")),
        ("loss", ("loss",)),
    ],
)
def test_a_value_is_put_at_its_path(path: str, keys: tuple[Any, ...]) -> None:
    data = document()
    assert apply(data, {path: 7}) == ([Override(keys, f"{path}=7")], [])
    found: Any = data
    for key in keys:
        found = found[key]
    assert found == 7


def test_a_bare_list_takes_its_indices() -> None:
    data = [{"LSTM": {"units": 3}}]
    apply(data, {"[0].LSTM.units": 4, "0.LSTM.name": "a"})
    assert data == [{"LSTM": {"units": 4, "name": "a"}}]


def test_overrides_are_shown_in_yamls_words() -> None:
    done, _ = apply({}, {"a": None, "b": True, "c": "x", "d": 0.5})
    assert [item.text for item in done] == ["a=null", "b=true", "c=x", "d=0.5"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "modle.0.LSTM.units",
            "there is no 'modle' in the document, which has vars, model\n  hint: did you mean 'model'?",
        ),
        ("model.0.GRU.units", "there is no 'GRU' in model[0], which has LSTM"),
        ("model.3.LSTM", "model is a list with the indices [0] to [2], it has no '3'"),
        ("model.3", "model is a list with the indices [0] to [2], it has no '3'"),
        ("model.LSTM.units", "model is a list with the indices [0] to [2], it has no 'LSTM'"),
        ("model.2.Dense.units", "model[2] is text 'Dense', it has no 'Dense'"),
        ("vars.u.x", "vars.u is the number 1, it has no 'x'"),
        ("model..units", "'model..units' is not a path such as model.1.LSTM.units"),
        ("model[x]", "'model[x]' is not a path such as model.1.LSTM.units"),
        ("", "'' is not a path such as model.1.LSTM.units"),
    ],
)
def test_a_path_that_leads_nowhere_is_a_problem(path: str, said: str) -> None:
    data = document()
    done, problems = apply(data, {path: 7})
    assert (done, [word(problem) for problem in problems]) == ([], [f"override {path}=7: {said}"])
    assert data == document()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "override 0.a=7: the document is an empty list, it has no '0'"),
        ("Flatten", "override 0.a=7: the document is text 'Flatten', it has no '0'"),
        ({}, "override 0.a=7: there is no '0' in the document, which has nothing"),
    ],
)
def test_an_empty_document_has_no_paths(data: Any, said: str) -> None:
    assert [word(problem) for problem in apply(data, {"0.a": 7})[1]] == [said]


def test_settings_keep_their_order_and_of_two_for_one_path_the_later_counts() -> None:
    texts = ["a.b=1", "a={b: 2, c: 3}", "d=4", "a.b=5"]

    values = read_overrides(texts)

    assert list(values.items()) == [("a", {"b": 2, "c": 3}), ("d", 4), ("a.b", 5)]
    data: dict[str, Any] = {"a": {"b": 0}}
    apply(data, values)
    assert data == {"a": {"b": 5, "c": 3}, "d": 4}


def test_all_wrong_settings_are_told() -> None:
    with pytest.raises(ConfigError) as error:
        read_overrides(["a", "b=1", "c=[1"])

    assert str(error.value) == (
        "an override must be PATH=VALUE, found 'a'\noverride c=[1: the list that begins here has no end\n"
        "  hint: close it with ']'"
    )
