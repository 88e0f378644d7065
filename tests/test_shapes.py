"""The shape rules of every layer, with plain arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rnnspec import shapes
from rnnspec.errors import ShapeError
from rnnspec.shapes import Shape


@pytest.mark.parametrize(
    ("shape", "text"), [((), "()"), ((3,), "(3,)"), ((None, 10, 64), "(None, 10, 64)")], ids=["empty", "one", "three"]
)
def test_a_shape_is_written_as_a_tuple(shape: Shape, text: str) -> None:
    assert shapes.format_shape(shape) == text


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"input_shape": (10, 64)}, (None, 10, 64), id="input_shape"),
        pytest.param({"input_shape": [None, 64], "batch_size": 2}, (2, None, 64), id="batch_size"),
        pytest.param({"input_dim": 64}, (None, None, 64), id="input_dim"),
        pytest.param({"input_dim": 64, "input_length": 10, "batch_size": 2}, (2, 10, 64), id="input_length"),
        pytest.param({"input_dim": 64, "input_shape": (3, 4)}, (None, None, 64), id="input_dim wins over input_shape"),
        pytest.param({"batch_input_shape": [2, 3, 4], "input_dim": 64}, (2, 3, 4), id="batch_input_shape wins"),
    ],
)
def test_the_arguments_of_a_layer_declare_its_input(arguments: dict[str, Any], shape: Shape | None) -> None:
    assert shapes.declared_input(**arguments) == shape


def test_input_length_alone_declares_nothing() -> None:
    with pytest.raises(ShapeError) as error:
        shapes.declared_input(input_length=3)

    assert str(error.value) == "input_length needs input_dim beside it"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(shapes.recurrent((2, 5, 3), output_size=7, return_sequences=True), (2, 5, 7), id="sequences"),
        pytest.param(shapes.recurrent((2, 5, 3), output_size=7, return_sequences=False), (2, 7), id="last"),
        pytest.param(
            shapes.recurrent((None, None, 3), output_size=7, return_sequences=True), (None, None, 7), id="free"
        ),
        pytest.param(shapes.dense((None, 3), units=7), (None, 7), id="dense"),
        pytest.param(shapes.dense((2, None, 3), units=7), (2, None, 7), id="dense over steps"),
        pytest.param(shapes.embedding((2, 5), output_dim=3), (2, 5, 3), id="embedding"),
        pytest.param(shapes.embedding((2,), output_dim=3), (2, 3), id="embedding of single ids"),
        pytest.param(shapes.embedding((2, None), output_dim=3, input_length=5), (2, 5, 3), id="embedding fills in"),
        pytest.param(shapes.embedding((2, 5, 6), output_dim=3, input_length=(5, None)), (2, 5, 6, 3), id="of a table"),
        pytest.param(shapes.flatten((None, 5, 3)), (None, 15), id="flatten"),
        pytest.param(shapes.flatten((2, 5, 0)), (2, 0), id="flatten nothing"),
        pytest.param(shapes.time_distributed_step((2, 5, 3, 4)), (2, 3, 4), id="step"),
        pytest.param(shapes.time_distributed((2, 5, 3), (2, 7)), (2, 5, 7), id="time_distributed"),
        pytest.param(shapes.bidirectional((2, 5, 7), merge_mode="concat"), (2, 5, 14), id="concat"),
        pytest.param(shapes.bidirectional((2, 5, 7), merge_mode="sum"), (2, 5, 7), id="sum"),
        pytest.param(shapes.bidirectional((2, 7), merge_mode=None), (2, 7), id="two outputs"),
        pytest.param(shapes.bidirectional((2, None), merge_mode="concat"), (2, None), id="concat of a free size"),
        pytest.param(shapes.merge((None, 5, None), (2, None, None)), (2, 5, None), id="merge"),
        pytest.param(shapes.merge((2, 5), (2, 6)), None, id="contradiction"),
        pytest.param(shapes.merge((2, 5), (2, 5, None)), None, id="ranks"),
    ],
)
def test_output_shape(output: Shape | None, expected: Shape | None) -> None:
    assert output == expected


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param(
            lambda: shapes.recurrent((2, 3), output_size=7, return_sequences=True),
            "expected an input of rank 3, (batch, time, features), found (2, 3)",
            id="recurrent",
        ),
        pytest.param(
            lambda: shapes.recurrent((2, 3, None), output_size=7, return_sequences=True),
            "expected a known number of features, found (2, 3, None)",
            id="recurrent features",
        ),
        pytest.param(
            lambda: shapes.dense((2,), units=7),
            "expected an input of rank 2 or more, (batch, ..., features), found (2,)",
            id="dense",
        ),
        pytest.param(
            lambda: shapes.dense((2, None), units=7),
            "expected a known number of features, found (2, None)",
            id="features",
        ),
        pytest.param(
            lambda: shapes.embedding((2, 6), output_dim=3, input_length=5),
            "expected ids with input_length 5, found (2, 6)",
            id="embedding",
        ),
        pytest.param(
            lambda: shapes.embedding((), output_dim=3, input_length=(5, None)),
            "expected ids with input_length (5, None), found ()",
            id="embedding of a table",
        ),
        pytest.param(
            lambda: shapes.flatten((2, 3)), "expected an input of rank 3 or more, found (2, 3)", id="flatten rank"
        ),
        pytest.param(
            lambda: shapes.flatten((2, None, 3)),
            "expected every size but the batch's to be known, found (2, None, 3)",
            id="flatten size",
        ),
        pytest.param(
            lambda: shapes.time_distributed_step((2, 3)),
            "expected an input of rank 3 or more, (batch, time, ...), found (2, 3)",
            id="time_distributed",
        ),
        pytest.param(
            lambda: shapes.check_unroll((2, None, 3)),
            "unroll=True needs two timesteps or more, found a free number of them",
            id="unroll free",
        ),
        pytest.param(
            lambda: shapes.check_unroll((2, 1, 3)), "unroll=True needs two timesteps or more, found 1", id="unroll one"
        ),
    ],
)
def test_a_shape_that_does_not_fit_is_an_error(rule: Callable[[], object], message: str) -> None:
    with pytest.raises(ShapeError) as error:
        rule()

    assert str(error.value) == message


def test_two_steps_can_be_unrolled() -> None:
    shapes.check_unroll((None, 2, 3))
