"""Embedding: ids of any kind, masks, shapes."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from rnnspec.errors import ShapeError
from rnnspec.nn import Embedding

TABLE = numpy.arange(12.0, dtype="float32").reshape(4, 3)
IDS = [[0, 3], [2, 2]]


def embedding(**options: Any) -> Embedding:
    return Embedding(4, 3, weights=[TABLE], **options)


@pytest.mark.parametrize(
    "dtype",
    [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float32, torch.float64],
    ids=str,
)
def test_ids_of_any_dtype_are_looked_up(dtype: torch.dtype) -> None:
    assert embedding()(torch.tensor(IDS, dtype=dtype)).tolist() == TABLE[IDS].tolist()


def test_floating_ids_lose_their_fraction() -> None:
    ids = torch.tensor([[0.9, 3.2]])

    assert embedding()(ids).tolist() == TABLE[[[0, 3]]].tolist()
    assert embedding(mask_zero=True).compute_mask(ids, None).tolist() == [[False, True]]  # type: ignore[union-attr]


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.float32], ids=str)
def test_mask_zero_masks_the_id_zero(dtype: torch.dtype) -> None:
    mask = embedding(mask_zero=True).compute_mask(torch.tensor(IDS, dtype=dtype), None)

    assert mask is not None
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[False, True], [True, True]]


def test_without_mask_zero_a_mask_ends() -> None:
    assert embedding().compute_mask(torch.tensor(IDS), torch.ones(2, 2)) is None


def test_the_row_of_a_masked_id_can_be_trained() -> None:
    layer = embedding(mask_zero=True)
    (gradient,) = torch.autograd.grad(layer(torch.tensor(IDS)).sum(), layer.embeddings)

    assert gradient.sum(1).tolist() == [3.0, 0.0, 6.0, 3.0]


def test_initial_vectors_are_keras_uniform() -> None:
    table = Embedding(100, 50).embeddings

    assert 0.049 < table.abs().max().item() <= 0.05
    assert table.min().item() < -0.049


def test_it_is_built_when_it_is_made() -> None:
    layer = Embedding(4, 3)

    assert layer.built
    assert layer.embeddings.shape == (4, 3)


@pytest.mark.parametrize(
    ("options", "declared", "output"),
    [
        pytest.param({}, None, (None, 7, 3), id="nothing"),
        pytest.param({"input_length": 7}, (None, 7), (None, 7, 3), id="length"),
        pytest.param({"input_length": 7, "batch_input_shape": (2, 7)}, (2, 7), (None, 7, 3), id="shape-wins"),
    ],
)
def test_declared_shapes(options: dict[str, Any], declared: Any, output: Any) -> None:
    layer = embedding(**options)

    assert layer.declared_input_shape == declared
    assert layer.compute_output_shape((None, 7)) == output


def test_input_length_may_have_several_axes() -> None:
    layer = embedding(input_length=(None, 2))

    assert layer.declared_input_shape == (None, None, 2)
    assert layer(torch.zeros(5, 4, 2, dtype=torch.long)).shape == (5, 4, 2, 3)


def test_regularizers_and_constraints() -> None:
    layer = embedding(embeddings_regularizer="l1", activity_regularizer="l2", embeddings_constraint="unit_norm")
    layer(torch.tensor(IDS))
    losses = [loss.item() for loss in layer.losses]
    layer.apply_constraints()

    assert losses == pytest.approx([0.66, 0.01 * float((TABLE[IDS] ** 2).sum())])
    torch.testing.assert_close(layer.embeddings.norm(dim=0), torch.ones(3))


def test_another_length_is_an_error() -> None:
    with pytest.raises(ShapeError) as caught:
        embedding(input_length=7, name="words")(torch.tensor(IDS))

    assert str(caught.value) == "Embedding 'words': expected ids with input_length 7, found (2, 2)"


def test_repr() -> None:
    assert repr(embedding()) == "Embedding(4 -> 3)"
    assert repr(embedding(mask_zero=True)) == "Embedding(4 -> 3, mask_zero=True)"
