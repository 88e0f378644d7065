"""The config of a Lambda layer: names of registered functions, never code."""

from __future__ import annotations

from typing import Any

import pytest

from rnnspec import config, from_dict
from rnnspec.config import infer
from rnnspec.errors import ConfigError
from rnnspec.registry import FUNCTIONS
from rnnspec.shapes import Shape

CODE = "\n  hint: a config holds no code: write a function, register it with @rnnspec.register.function, give its name"


def double(x: Any, factor: float = 2.0, *, mask: Any = None) -> Any:
    return factor * x


def shorter(shape: Shape) -> Shape:
    return (shape[0], 1, *shape[2:])


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    # `max` tells nothing of its arguments; `my-own` is no identifier.
    names = {"double": double, "shorter": shorter, "power": lambda x, exponent: x, "max": max, "my-own": double}
    monkeypatch.setattr(FUNCTIONS, "_added", names)


@pytest.mark.parametrize(
    "arguments",
    [
        {"function": "double"},
        {"function": "my-own", "mask": "double", "output_shape": "shorter"},
        {"function": "double", "output_shape": [None, 3], "arguments": {"factor": 3}},
        {"function": "power", "arguments": {"exponent": [1, {"a": None}]}},
        {"function": "max", "arguments": {"anything": 1}},
    ],
    ids=str,
)
def test_a_lambda_is_read_back_from_what_it_writes(arguments: dict[str, Any]) -> None:
    made = from_dict({"Lambda": arguments})

    assert isinstance(made, config.LambdaConfig)
    assert made == config.LambdaConfig(**arguments)
    assert from_dict(made.to_schema()) == made
    assert {name: made.to_dict()[name] for name in arguments} == arguments


@pytest.mark.parametrize(
    ("output_shape", "output"),
    [(None, None), ((None, 3), (2, None, 3)), ("shorter", (2, 1, 4))],
    ids=["unknown", "stated", "function"],
)
def test_the_output_shape_is_stated_or_not_known(output_shape: Any, output: Shape | None) -> None:
    found = infer(config.LambdaConfig("double", output_shape), (2, 5, 4))

    assert found.error is None
    assert found.output_shape == output


def test_a_mask_ends_or_is_the_functions_affair() -> None:
    assert config.LambdaConfig("double").output_mask(True) is False
    assert config.LambdaConfig("double", mask="double").output_mask(True) is None
    assert infer(from_dict([{"Masking": {}}, {"Lambda": {"function": "double"}}, "Flatten"]), (2, 5, 4)).error is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"function": "duoble"},
            "function: unknown function 'duoble', expected one of double, max, my-own, power, shorter\n"
            "  hint: did you mean 'double'?",
            id="misspelled",
        ),
        pytest.param(
            {"function": "my-onw"},
            "function must be the name of a registered function, found 'my-onw'\n  hint: did you mean 'my-own'?",
            id="misspelled-no-identifier",
        ),
        pytest.param(
            {"function": "lambda x: x ** 2"},
            f"function must be the name of a registered function, found 'lambda x: x ** 2'{CODE}",
            id="expression",
        ),
        pytest.param(
            {"function": "torch.nn.functional.normalize"},
            f"function must be the name of a registered function, found 'torch.nn.functional.normalize'{CODE}",
            id="path",
        ),
        pytest.param(
            {"function": ["4wEAAAAAAAAAAQAAAAMAAABTAAAAcwgAAAB8AGQBEwBTAA==", None, None]},
            f"function must be the name of a registered function, found a list{CODE}",
            id="keras-bytecode",
        ),
        pytest.param(
            {"function": double},
            f"function must be the name of a registered function, found {double!r}{CODE}",
            id="python-function",
        ),
        pytest.param(
            {"function": None}, f"function must be the name of a registered function, found null{CODE}", id="null"
        ),
        pytest.param(
            {"function": "double", "arguments": {"facto": 3}},
            "arguments.facto: double has no argument 'facto'\n  hint: did you mean 'factor'? double takes factor",
            id="argument",
        ),
        pytest.param({"function": "power"}, "arguments: power needs the argument 'exponent'", id="missing-argument"),
        pytest.param(
            {"function": "double", "arguments": {"mask": 3}},
            "arguments.mask: double has no argument 'mask'\n  hint: double takes factor",
            id="filled-in",
        ),
        pytest.param(
            {"function": "double", "arguments": 3}, "arguments must be a mapping of arguments, found 3", id="no-mapping"
        ),
        pytest.param(
            {"function": "double", "mask": True},
            f"mask must be the name of a registered function, found true{CODE}",
            id="mask",
        ),
        pytest.param(
            {"function": "double", "output_shape": "shape[:2]"},
            f"output_shape must be the name of a registered function, found 'shape[:2]'{CODE}",
            id="shape-expression",
        ),
        *(
            pytest.param(
                {"function": "double", "output_shape": wrong},
                "output_shape must be a list of sizes, each a positive integer or null, or the name of a registered "
                f"function, found {shown}",
                id=f"shape-{shown}",
            )
            for wrong, shown in [(3, "3"), ([2, 0], "0"), ([True], "true"), ((1.5,), "1.5"), ({}, "an empty mapping")]
        ),
    ],
)
@pytest.mark.parametrize(
    "make", [config.LambdaConfig.from_dict, lambda values: config.LambdaConfig(**values)], ids=["data", "python"]
)
def test_a_wrong_lambda_is_refused(make: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        make(arguments)

    assert str(error.value) == message


def test_without_any_function_the_error_tells_how_to_register(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FUNCTIONS, "_added", {})
    with pytest.raises(ConfigError) as error:
        config.LambdaConfig("double")

    assert str(error.value) == (
        "function: unknown function 'double', none is registered\n  hint: register it with @rnnspec.register.function"
    )
