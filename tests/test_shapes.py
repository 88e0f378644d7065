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
        pytest.param(shapes.reshape((None, 12), target_shape=(3, 4)), (None, 3, 4), id="reshape"),
        pytest.param(shapes.reshape((2, 3, 4), target_shape=(-1, 2, 2)), (2, 3, 2, 2), id="reshape with -1"),
        pytest.param(shapes.reshape((2, 0), target_shape=(-1, 3)), (2, 0, 3), id="reshape nothing"),
        pytest.param(shapes.reshape((2, 1), target_shape=()), (2,), id="reshape to the batch alone"),
        pytest.param(shapes.permute((None, 10, None), dims=(2, 1)), (None, None, 10), id="permute"),
        pytest.param(shapes.permute((2, 3, 4, 5), dims=(3, 1, 2)), (2, 5, 3, 4), id="permute three"),
        pytest.param(shapes.repeat_vector((None, None), n=3), (None, 3, None), id="repeat_vector"),
        pytest.param(shapes.spatial_dropout((None, None, 4)), (None, None, 4), id="spatial_dropout"),
        pytest.param(shapes.prelu_alpha((None, 5, 4), shared_axes=None), (5, 4), id="alpha"),
        pytest.param(shapes.prelu_alpha((None, 5, 4), shared_axes=()), (5, 4), id="alpha shared nowhere"),
        pytest.param(shapes.prelu_alpha((None, None, 4), shared_axes=1), (1, 4), id="alpha shared along one axis"),
        pytest.param(shapes.prelu_alpha((None, None, 4), shared_axes=[1]), (1, 4), id="alpha over time"),
        pytest.param(shapes.prelu_alpha((2, 5, 4), shared_axes=(2, 1)), (1, 1), id="one alpha"),
        pytest.param(shapes.stated((2, 5, 4), (None, 3)), (2, None, 3), id="stated"),
        pytest.param(shapes.stated((2, 5), lambda shape: [*shape, 3]), (2, 5, 3), id="stated by a function"),
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
            lambda: shapes.reshape((2, None, 3), target_shape=(-1,)),
            "expected every size but the batch's to be known, found (2, None, 3)",
            id="reshape free",
        ),
        pytest.param(
            lambda: shapes.reshape((), target_shape=(-1,)),
            "expected every size but the batch's to be known, found ()",
            id="reshape a number",
        ),
        pytest.param(
            lambda: shapes.reshape((2, 5, 4), target_shape=(3, 7)),
            "target_shape (3, 7) takes 21 numbers a row, found 20 in (2, 5, 4)",
            id="reshape",
        ),
        pytest.param(
            lambda: shapes.reshape((2, 5, 4), target_shape=(-1, 3)),
            "target_shape (-1, 3) takes a multiple of 3 numbers a row, found 20 in (2, 5, 4)",
            id="reshape with -1",
        ),
        pytest.param(
            lambda: shapes.permute((2, 3), dims=(2, 1)),
            "expected an input of rank 3, one axis for each of the dims (2, 1) and the batch's, found (2, 3)",
            id="permute",
        ),
        pytest.param(
            lambda: shapes.repeat_vector((2, 3, 4), n=3),
            "expected an input of rank 2, (batch, features), found (2, 3, 4)",
            id="repeat_vector",
        ),
        pytest.param(
            lambda: shapes.spatial_dropout((2, 3)),
            "expected an input of rank 3, (batch, time, features), found (2, 3)",
            id="spatial_dropout",
        ),
        pytest.param(
            lambda: shapes.prelu_alpha((2, 3), shared_axes=(1, 2)),
            "shared_axes holds the axis 2, which an input (2, 3) does not have",
            id="shared_axes",
        ),
        pytest.param(
            lambda: shapes.prelu_alpha((2, 3, None, 4), shared_axes=(1,)),
            "expected a known size at every axis that is not shared, found (2, 3, None, 4)\n"
            "  hint: share the slopes along the axis: shared_axes: [2]",
            id="alpha",
        ),
        pytest.param(
            lambda: shapes.stated((2, 3), lambda shape: 3),
            "the function of output_shape must return a shape with the batch, found 3",
            id="stated",
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


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (shapes.wrong_target_shape((-1, 2)), None),
        (shapes.wrong_target_shape((-1, 2, -1)), "target_shape takes one -1 at most, found (-1, 2, -1)"),
        (shapes.wrong_dims((2, 3, 1)), None),
        (shapes.wrong_dims((1, 1)), "dims must be a permutation of (1, 2), found (1, 1)"),
        (shapes.wrong_dims((0, 1)), "dims must be a permutation of (1, 2), found (0, 1)"),
    ],
)
def test_arguments_that_name_axes_are_checked_as_a_whole(found: str | None, message: str | None) -> None:
    assert found == message


def test_two_steps_can_be_unrolled() -> None:
    shapes.check_unroll((None, 2, 3))
