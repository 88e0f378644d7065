"""The poolings along time: values against a loop over windows in NumPy, masks, gradients, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnnspec.errors import MaskError, ShapeError
from rnnspec.nn import (
    AveragePooling1D,
    Embedding,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
    Sequential,
)
from rnnspec.nn.base import Layer

X = torch.randn(2, 11, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 3.0
MASK = torch.arange(11) < torch.tensor([[11], [4]])


def by_hand(x: Any, size: int, strides: int, padding: str, pool: Any) -> Any:
    """The definition: of each window the steps that are there."""
    time = x.shape[1]
    count = (time - size) // strides + 1 if padding == "valid" else -(-time // strides)
    before = 0 if padding == "valid" else max((count - 1) * strides + size - time, 0) // 2
    starts = [window * strides - before for window in range(count)]
    return np.stack([pool(x[:, max(start, 0) : start + size], axis=1) for start in starts], axis=1)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(2, None), (3, None), (3, 1), (3, 2), (4, 3), (2, 4), (1, 1)])
@pytest.mark.parametrize(("layer", "pool"), [(MaxPooling1D, np.max), (AveragePooling1D, np.mean)])
def test_every_window_is_that_of_the_definition(
    layer: Any, pool: Any, size: int, strides: int | None, padding: str, data_format: str
) -> None:
    pooling, last = layer(size, strides, padding, data_format), data_format == "channels_last"
    output = pooling(X if last else X.transpose(1, 2))
    found = output if last else output.transpose(1, 2)

    np.testing.assert_allclose(found, by_hand(X.numpy(), size, strides or size, padding, pool), rtol=1e-14)
    assert pooling.compute_output_shape((None, 11, 4) if last else (None, 4, 11))[1:] == tuple(output.shape[1:])


@pytest.mark.parametrize("layer", [MaxPooling1D(3, 2, "same"), AveragePooling1D(3, 2, "same")], ids=repr)
def test_the_gradients_are_right(layer: Layer) -> None:
    assert torch.autograd.gradcheck(layer, (X.clone().requires_grad_(),))


def test_windows_follow_each_other_by_default() -> None:
    assert MaxPooling1D()(torch.arange(5.0).reshape(1, 5, 1)).flatten().tolist() == [1.0, 3.0]


def test_a_free_number_of_steps_stays_free() -> None:
    assert MaxPooling1D(3).compute_output_shape((2, None, 4)) == (2, None, 4)


# Over all steps


@pytest.mark.parametrize("keepdims", [False, True], ids=["dropped", "kept"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("layer", "pool"), [(GlobalMaxPooling1D, np.max), (GlobalAveragePooling1D, np.mean)])
def test_global_poolings_take_all_steps(layer: Any, pool: Any, data_format: str, keepdims: bool) -> None:
    time = 1 if data_format == "channels_last" else 2
    x = X if time == 1 else X.transpose(1, 2)
    pooling = layer(data_format, keepdims)

    np.testing.assert_allclose(pooling(x), pool(x.numpy(), axis=time, keepdims=keepdims), rtol=1e-14)
    assert pooling.compute_output_shape(tuple(x.shape)) == tuple(pooling(x).shape)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_global_mean_is_that_of_the_valid_steps(data_format: Any) -> None:
    x = X.masked_fill(~MASK.unsqueeze(2), torch.nan)
    layer = GlobalAveragePooling1D(data_format)
    output = layer(x if data_format == "channels_last" else x.transpose(1, 2), mask=MASK)

    np.testing.assert_allclose(output, np.stack([X[0].mean(0).numpy(), X[1, :4].mean(0).numpy()]), rtol=1e-14)


def test_a_row_without_a_valid_step_has_the_mean_zero() -> None:
    assert GlobalAveragePooling1D()(X, mask=torch.zeros(2, 11)).tolist() == [[0.0] * 4] * 2


def test_the_mask_ends_at_a_global_mean() -> None:
    embedding, pooling = Embedding(9, 4, mask_zero=True), GlobalAveragePooling1D()
    ids = torch.tensor([[3, 5, 0], [2, 0, 0]])
    model = Sequential([embedding, pooling])

    assert torch.equal(model(ids), pooling(embedding(ids), mask=ids != 0))
    assert pooling.compute_mask(X, MASK) is None


# Errors


@pytest.mark.parametrize("layer", [MaxPooling1D(), AveragePooling1D(), GlobalMaxPooling1D()], ids=repr)
def test_the_other_poolings_cannot_take_a_mask(layer: Layer) -> None:
    with pytest.raises(MaskError) as caught:
        Sequential([Embedding(9, 4, mask_zero=True), layer])(torch.ones(2, 3, dtype=torch.int64))

    assert str(caught.value).splitlines()[0] == (
        f"{layer.label} cannot take a mask, and one reached it from the layers before"
    )


RANK = "expected an input of rank 3, (batch, time, features), found (11, 4)"


@pytest.mark.parametrize(
    ("layer", "x", "message"),
    [
        (MaxPooling1D(12, name="m"), X, "MaxPooling1D 'm': expected 12 timesteps or more, found 11"),
        (AveragePooling1D(padding="same"), X[:, :0], "AveragePooling1D: expected 1 timestep or more, found 0"),
        (GlobalMaxPooling1D(), X[:, :0], "GlobalMaxPooling1D: expected 1 timestep or more, found 0"),
        (GlobalAveragePooling1D(), X[0], f"GlobalAveragePooling1D: {RANK}"),
        (MaxPooling1D(), X[0], f"MaxPooling1D: {RANK}"),
    ],
    ids=["short", "empty", "global-empty", "global-rank", "rank"],
)
def test_an_input_that_does_not_fit(layer: Layer, x: Tensor, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        layer(x)

    assert str(caught.value) == message


def test_a_mask_that_does_not_fit() -> None:
    with pytest.raises(MaskError) as caught:
        GlobalAveragePooling1D()(X, mask=MASK[:, :3])

    assert str(caught.value) == ("GlobalAveragePooling1D expects a mask of shape (batch, time) = (2, 11), found (2, 3)")


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (MaxPooling1D([3]), "MaxPooling1D(pool_size=3, strides=3, padding='valid')"),
        (AveragePooling1D(2, 1, "same"), "AveragePooling1D(pool_size=2, strides=1, padding='same')"),
        (GlobalMaxPooling1D(), "GlobalMaxPooling1D()"),
        (
            GlobalAveragePooling1D("channels_first", True),
            "GlobalAveragePooling1D(data_format='channels_first', keepdims=True)",
        ),
    ],
    ids=str,
)
def test_repr(layer: Layer, text: str) -> None:
    assert repr(layer) == text
