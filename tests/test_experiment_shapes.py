"""What an experiment's data say of its model's shapes: they are checked before anything is built."""

from __future__ import annotations

import pytest
import torch

import rnnspec
from rnnspec.config.inference import infer


def problems(model: str, data: str = "JapaneseVowels") -> str:
    """What is wrong with the shapes of a model for some data."""
    return "\n".join(
        problem.path + ": " + problem.message
        for problem in infer(rnnspec.loads(f"data: {data}\nmodel: {model}")).problems
    )


def test_input_shape_comes_from_the_data() -> None:
    config = rnnspec.loads("data: JapaneseVowels\nmodel: [GRU: {units: 9}]")

    assert infer(config).input_shape == (None, None, 12)
    assert rnnspec.build(config)(torch.zeros(2, 3, 12)).shape == (2, 9)


def test_without_data_the_input_shape_is_unknown() -> None:
    assert infer(rnnspec.loads("train: {epochs: 1}\nmodel: [GRU: {units: 9}]")).input_shape is None


@pytest.mark.parametrize(
    "model",
    [
        pytest.param("[GRU: {units: 9}]", id="a class a unit"),
        pytest.param("[GRU: {units: 9, return_sequences: true}]", id="a sequence of classes"),
    ],
)
def test_fitting_outputs_are_fine(model: str) -> None:
    assert problems(model) == ""


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(
            "[GRU: {units: 8}]",
            "model[0].GRU: GRU gives (None, 8), expected 9 numbers at the end, one for each class of JapaneseVowels",
            id="too few units",
        ),
        pytest.param(
            "[GRU: {units: 9, return_state: true}]",
            "model[0].GRU: GRU returns several tensors (return_state), a loss takes one",
            id="several outputs",
        ),
        pytest.param(
            "[GRU: {units: 9, input_shape: [null, 3]}]",
            "model[0].GRU: GRU declares the input shape (None, None, 3), but (None, None, 12) was given",
            id="another input",
        ),
        pytest.param(
            "[Flatten: {input_shape: [29, 12]}, Dense: {units: 9}]",
            "model[0].Flatten: cannot take a mask; one comes with the data",
            id="a layer that cannot take the mask of the data",
        ),
        pytest.param(
            "[GRU: {units: 3}, GRU: {units: 3}]",
            "model[1].GRU: expected an input of rank 3, (batch, time, features), found (None, 3), "
            "the output of GRU (model[0].GRU)",
            id="two layers that do not fit, and nothing that follows from it",
        ),
    ],
)
def test_misfits_are_told_once(model: str, message: str) -> None:
    assert problems(model) == message


EMBEDDING = "Embedding: {input_dim: 3464, output_dim: 4, mask_zero: true}"


def test_tokens_and_classes_of_steps_fit_an_embedding_and_sequences() -> None:
    config = rnnspec.loads(f"data: HKCanCor\nmodel: [{EMBEDDING}, LSTM: {{units: 92, return_sequences: true}}]")

    assert infer(config).input_shape == (None, None)
    assert problems(f"[{EMBEDDING}, LSTM: {{units: 92, return_sequences: true}}]", "HKCanCor") == ""
    assert rnnspec.build(config)(torch.tensor([[2, 3463, 0]])).shape == (1, 3, 92)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(
            f"[{EMBEDDING}, LSTM: {{units: 92}}]",
            "model[1].LSTM: LSTM gives (None, 92), expected 92 numbers at the end, one for each class of HKCanCor at "
            "each step",
            id="no sequences",
        ),
        pytest.param(
            "[Embedding: {input_dim: 3463, output_dim: 4}, LSTM: {units: 92, return_sequences: true}]",
            "model[0].Embedding.input_dim: input_dim must be at least 3464, the number of ids in HKCanCor, found 3463",
            id="too few ids",
        ),
        pytest.param(
            "[LSTM: {units: 92, return_sequences: true}]",
            "model[0].LSTM: expected a known number of features, found (None, None, None), the model's input",
            id="no embedding",
        ),
    ],
)
def test_misfits_of_a_tagger_are_told(model: str, message: str) -> None:
    assert problems(model, "HKCanCor") == message
