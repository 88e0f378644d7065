"""Flatten, Reshape, Permute, RepeatVector: where each number goes, and the words of their errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rnnspec.errors import MaskError, ShapeError
from rnnspec.nn import GRU, Embedding, Flatten, Permute, RepeatVector, Reshape, Sequential
from rnnspec.nn.base import Layer

X = torch.arange(24.0).reshape(2, 3, 4)


def test_flatten_joins_all_axes_but_the_first() -> None:
    assert torch.equal(Flatten()(X), X.reshape(2, 12))


@pytest.mark.parametrize(
    ("target", "shape"),
    [((6, 2), (2, 6, 2)), ([-1, 2, 2], (2, 3, 2, 2)), ((12,), (2, 12)), ((-1,), (2, 12)), ((4, 3, 1), (2, 4, 3, 1))],
    ids=str,
)
def test_reshape_keeps_the_order_of_the_numbers(target: tuple[int, ...], shape: tuple[int, ...]) -> None:
    assert np.array_equal(Reshape(target)(X).numpy(), X.numpy().reshape(shape))


def test_reshape_takes_what_does_not_lie_in_a_row() -> None:
    x = X.transpose(1, 2)

    assert np.array_equal(Reshape((6, 2))(x).numpy(), x.numpy().reshape(2, 6, 2))


@pytest.mark.parametrize("dims", [(2, 1, 3), (3, 2, 1), [2, 3, 1], (1, 2, 3)], ids=str)
def test_permute_counts_the_axes_after_the_batch_from_one(dims: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, 4, 5)

    assert np.array_equal(Permute(dims)(x).numpy(), x.numpy().transpose(0, *dims))


def test_repeat_vector_makes_equal_steps() -> None:
    x = torch.randn(2, 4)

    assert np.array_equal(RepeatVector(3)(x).numpy(), np.repeat(x.numpy()[:, None], 3, axis=1))


def test_the_steps_of_repeat_vector_are_not_one_memory() -> None:
    x = torch.zeros(1, 2)
    output = RepeatVector(3)(x)
    output[:, 0] = 1.0

    assert x.tolist() == [[0.0, 0.0]]
    assert output[:, 1].tolist() == [[0.0, 0.0]]


def test_an_encoder_and_a_decoder_have_a_repeated_vector_between_them() -> None:
    model = Sequential([GRU(3, input_shape=(5, 2)), RepeatVector(4), GRU(3, return_sequences=True), Permute((2, 1))])

    assert model.output_shape == (None, 3, 4)
    assert model(torch.randn(2, 5, 2)).shape == (2, 3, 4)


# Errors


@pytest.mark.parametrize(
    ("layer", "x", "message"),
    [
        pytest.param(
            Flatten(), X[0], "Flatten expects an input of rank 3 or more, found (3, 4)", id="flatten"
        ),
        pytest.param(
            Reshape((5, 2), name="r"), X,
            "Reshape 'r': target_shape (5, 2) takes 10 numbers a row, found 12 in (2, 3, 4)", id="reshape",
        ),
        pytest.param(
            Reshape((5, -1)), X,
            "Reshape: target_shape (5, -1) takes a multiple of 5 numbers a row, found 12 in (2, 3, 4)",
            id="reshape-open",
        ),
        pytest.param(
            Permute((1, 2)), X[0],
            "Permute: expected an input of rank 3, one axis for each of the dims (1, 2) and the batch's, found (3, 4)",
            id="permute",
        ),
        pytest.param(
            RepeatVector(2), X, "RepeatVector: expected an input of rank 2, (batch, features), found (2, 3, 4)",
            id="repeat-vector",
        ),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit(layer: Layer, x: Tensor, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        layer(x)

    assert str(caught.value) == message


def test_a_model_names_the_layers_that_do_not_fit() -> None:
    with pytest.raises(ShapeError) as caught:
        Sequential([GRU(3, input_shape=(5, 2)), Reshape((2, 2))])

    assert str(caught.value) == (
        "layer 1, Reshape, cannot follow layer 0, GRU: target_shape (2, 2) takes 4 numbers a row, found 3 in (None, 3)"
    )


@pytest.mark.parametrize("layer", [Flatten(name="x"), Reshape((2, 6), name="x"), Permute((2, 1), name="x")], ids=repr)
def test_a_layer_that_moves_numbers_cannot_take_a_mask(layer: Layer) -> None:
    model = Sequential([Embedding(9, 4, mask_zero=True, input_length=3), layer])
    with pytest.raises(MaskError) as caught:
        model(torch.ones(2, 3, dtype=torch.int64))

    assert str(caught.value).splitlines() == [
        f"{type(layer).__name__} 'x' cannot take a mask, and one reached it from the layers before",
        "  hint: a recurrent layer with return_sequences=False before it ends the mask",
    ]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Flatten(), "Flatten()"),
        (Reshape([-1, 2]), "Reshape(target_shape=(-1, 2))"),
        (Permute([2, 1]), "Permute(dims=(2, 1))"),
        (RepeatVector(3), "RepeatVector(n=3)"),
    ],
    ids=str,
)
def test_repr(layer: Layer, text: str) -> None:
    assert repr(layer) == text
