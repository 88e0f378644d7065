"""Problems, their paths, and the one function that words them."""

from __future__ import annotations

import pickle
import sys
import types
import warnings

import pytest

from rnnspec import errors
from rnnspec.errors import ConfigError, ConfigWarning, Key, Problem, format_path, warn, warn_overridden_bias, word


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ((), ""),
        (("LSTM", "units"), "LSTM.units"),
        (("model", 1, "LSTM", "units"), "model[1].LSTM.units"),
        ((1, "LSTM"), "[1].LSTM"),
        (("weights", 0, 2), "weights[0][2]"),
    ],
)
def test_a_path_is_written_with_dots_and_brackets(keys: tuple[Key, ...], text: str) -> None:
    assert format_path(keys) == text
    assert Problem("wrong", keys).path == text


def test_under_puts_keys_before_the_path() -> None:
    problem = Problem("wrong", ("units",), "hint", line=3, at_key=True)

    assert problem.under("model", 0) == Problem("wrong", ("model", 0, "units"), "hint", line=3, at_key=True)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        pytest.param(Problem("units is missing"), "units is missing", id="message"),
        pytest.param(Problem("it is missing", ("LSTM", "units")), "LSTM.units: it is missing", id="path"),
        pytest.param(Problem("units must be 1", ("units",)), "units must be 1", id="path in the message"),
        pytest.param(Problem("unitsx is wrong", ("units",)), "units: unitsx is wrong", id="only like the path"),
        pytest.param(Problem("wrong", file="a.yaml"), "a.yaml: wrong", id="file"),
        pytest.param(Problem("wrong", file="a.yaml", line=2, column=5), "a.yaml:2:5: wrong", id="place"),
        pytest.param(
            Problem("units must be 1", ("units",), file="a.yaml", line=2),
            "a.yaml:2: units: units must be 1",
            id="in file",
        ),
        pytest.param(Problem("wrong", hint="do it"), "wrong\n  hint: do it", id="hint"),
        pytest.param(
            Problem("wrong", ("a",), "do it", "a.yaml", 12, 4, "a: b"),
            "a.yaml:12:4: a: wrong\n  12 | a: b\n     |    ^\n  hint: do it",
            id="caret",
        ),
        pytest.param(
            Problem("wrong", file="a.yaml", line=1, column=3, source="\t\tx"),
            "a.yaml:1:3: wrong\n  1 | \t\tx\n    | \t\t^",
            id="tabs stay before the caret",
        ),
        pytest.param(Problem("wrong", source="a: b"), "wrong", id="no caret without a place"),
    ],
)
def test_a_problem_is_worded(problem: Problem, text: str) -> None:
    assert word(problem) == text


def test_an_error_words_all_its_problems() -> None:
    error = ConfigError("one", Problem("two", ("a",)))

    assert error.problems == [Problem("one"), Problem("two", ("a",))]
    assert str(error) == "one\na: two"
    assert str(pickle.loads(pickle.dumps(error))) == "one\na: two"


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("ConfigError", ValueError),
        ("ShapeError", ValueError),
        ("DTypeError", TypeError),
        ("MaskError", ValueError),
        ("StateError", ValueError),
        ("WeightsError", ValueError),
        ("EngineError", ValueError),
        ("DataError", ValueError),
    ],
)
def test_every_error_is_ours_and_one_of_python(name: str, base: type[Exception]) -> None:
    assert issubclass(getattr(errors, name), errors.Error)
    assert issubclass(getattr(errors, name), base)


def test_a_warning_stands_at_the_users_line() -> None:
    inner = types.FunctionType(warn.__code__, {**vars(errors), "__name__": "rnnspec.errors"})
    # A function of this package, and one that attrs made, whose module has no name, lie between.
    generated: dict[str, object] = {"inner": inner}
    exec("def made():\n    inner('no effect')", generated)
    package: dict[str, object] = {"made": generated["made"], "__name__": "rnnspec.config.base"}
    exec("def call():\n    made()", package)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        package["call"]()  # type: ignore[operator]
        line = sys._getframe().f_lineno - 1

    assert [(item.filename, item.lineno, str(item.message)) for item in caught] == [(__file__, line, "no effect")]
    assert caught[0].category is ConfigWarning


def test_the_warning_of_an_overridden_bias_names_both_arguments() -> None:
    message = (
        r"^LSTM: unit_forget_bias sets the bias to zeros, with ones at the forget gate, so bias_initializer Ones "
        r"has no effect; set unit_forget_bias to false to use it$"
    )
    with pytest.warns(ConfigWarning, match=message):
        warn_overridden_bias("LSTM", "Ones")
