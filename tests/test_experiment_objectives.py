"""Losses and metrics by name, against their formulas."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rnnspec.config.losses import LossConfig
from rnnspec.config.tags import tagged_config
from rnnspec.experiment.objectives import Measures, Objective

Y = torch.tensor([2, 0, 1, 2])


def objective(loss: object) -> Objective:
    """The objective of a loss for three classes."""
    return Objective(tagged_config(loss, LossConfig), 3)  # type: ignore[arg-type]


@pytest.fixture
def outputs() -> Tensor:
    """What a model gave for four sequences."""
    return torch.randn(4, 3)


def one_hot() -> Tensor:
    """Zeros with a one at the class."""
    return torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])


class TestLosses:
    def test_cross_entropy_takes_logits_and_class_numbers(self, outputs: Tensor) -> None:
        expected = -(outputs.softmax(-1).log() * one_hot()).sum(-1).mean()

        assert objective("CrossEntropy").loss(outputs, Y).item() == pytest.approx(expected.item(), rel=1e-5)

    def test_label_smoothing_spreads_a_share_over_all_classes(self, outputs: Tensor) -> None:
        smooth = 0.7 * one_hot() + 0.3 / 3
        expected = -(outputs.log_softmax(-1) * smooth).sum(-1).mean()

        found = objective({"CrossEntropy": {"label_smoothing": 0.3}}).loss(outputs, Y)
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)

    def test_binary_cross_entropy_takes_logits(self, outputs: Tensor) -> None:
        expected = functional.binary_cross_entropy(outputs.sigmoid(), one_hot())

        assert objective("BinaryCrossEntropy").loss(outputs, Y).item() == pytest.approx(expected.item(), rel=1e-5)

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("MeanSquaredError", lambda e: e.square()),
            ("MeanAbsoluteError", lambda e: e.abs()),
            ("Huber", lambda e: torch.where(e.abs() < 1, 0.5 * e.square(), e.abs() - 0.5)),
        ],
    )
    def test_errors_are_those_from_zeros_with_a_one(self, name: str, error: object, outputs: Tensor) -> None:
        expected = error(outputs - one_hot()).mean()  # type: ignore[operator]

        assert objective(name).loss(outputs, Y).item() == pytest.approx(expected.item(), rel=1e-5)

    def test_double_precision_stays_double(self) -> None:
        assert objective("MeanSquaredError").loss(torch.zeros(4, 3, dtype=torch.float64), Y).dtype == torch.float64


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("CrossEntropy", lambda outputs: outputs.softmax(-1)),
        ("BinaryCrossEntropy", torch.sigmoid),
        ("MeanSquaredError", lambda outputs: outputs),
    ],
)
def test_probabilities_undo_what_the_loss_holds(name: str, make: object, outputs: Tensor) -> None:
    assert torch.equal(objective(name).probabilities(outputs), make(outputs))  # type: ignore[operator]


def test_metrics_are_those_of_all_batches_together(outputs: Tensor) -> None:
    measures = Measures(["Accuracy", "MeanAbsoluteError", "MeanSquaredError"], objective("CrossEntropy"), 3)

    measures.update(outputs[:1], Y[:1])
    measures.update(outputs[1:], Y[1:])

    error = outputs.softmax(-1) - one_hot()
    found = {name: metric.compute().item() for name, metric in measures.metrics.items()}
    assert found == pytest.approx(
        {
            "accuracy": (outputs.argmax(-1) == Y).float().mean().item(),
            "mean_absolute_error": error.abs().mean().item(),
            "mean_squared_error": error.square().mean().item(),
        }
    )
