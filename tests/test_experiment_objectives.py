"""Losses by name, against their formulas."""

from __future__ import annotations

import pytest
import torch
from experiment_cases import use_other_data
from torch import Tensor
from torch.nn import functional

import rnnspec
from rnnspec.config.losses import LossConfig
from rnnspec.config.tags import tagged_config
from rnnspec.experiment.objectives import Objective, objective_of

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


class TestMatching:
    """What is compared: sequences or steps, classes or numbers, never padding."""

    MASK = torch.tensor([[True, True, True], [True, False, False]])

    @pytest.mark.parametrize(
        ("outputs", "y", "matched"),
        [
            pytest.param((2, 4), torch.tensor([7, 8]), [7, 8], id="classes of sequences"),
            pytest.param((2, 4), torch.tensor([[0.7], [0.8]]), [[0.7], [0.8]], id="numbers of sequences"),
            pytest.param((2, 3, 4), torch.tensor([7, 8]), [7, 7, 7, 8], id="a class for all steps"),
            pytest.param((2, 3, 4), torch.tensor([[7, 8, 9], [5, -1, -1]]), [7, 8, 9, 5], id="classes of steps"),
            pytest.param(
                (2, 3, 4), torch.tensor([[0.5], [0.25]]), [[0.5], [0.5], [0.5], [0.25]], id="numbers for all steps"
            ),
            pytest.param(
                (2, 3, 4),
                torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [0.0], [0.0]]]),
                [[1.0], [2.0], [3.0], [4.0]],
                id="numbers of steps",
            ),
            pytest.param((2, 3, 4), torch.tensor([7]), [7, 7, 7], id="a filled batch"),
        ],
    )
    def test_every_real_step_has_its_target(self, outputs: tuple[int, ...], y: Tensor, matched: list[object]) -> None:
        given = torch.randn(outputs)

        found, targets = objective("CrossEntropy").matched(given, y, self.MASK)

        rows = given if given.ndim == 2 else given[self.MASK]
        assert torch.equal(found, rows[: len(matched)])
        assert targets.tolist() == torch.tensor(matched).tolist()

    def test_numbers_are_compared_as_they_are(self, outputs: Tensor) -> None:
        numbers = Objective(tagged_config("mean_squared_error", LossConfig), None, 3)  # type: ignore[arg-type]
        y = torch.randn(4, 3)

        assert numbers.task == "regression"
        assert numbers.loss(outputs, y).item() == pytest.approx((outputs - y).square().mean().item())

    def test_one_output_tells_two_classes_apart(self) -> None:
        binary = Objective(tagged_config("BinaryCrossEntropy", LossConfig), 2, 1)  # type: ignore[arg-type]
        outputs, y = torch.randn(4, 1), torch.tensor([1, 0, 0, 1])

        assert binary.task == "binary"
        expected = functional.binary_cross_entropy(outputs.sigmoid(), y[:, None].float())
        assert binary.loss(outputs, y).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("data", "model", "told"),
    [
        pytest.param("JapaneseVowels", "[GRU: {units: 4}, Dense: {units: 9}]", ("multiclass", 9, 9), id="classes"),
        pytest.param("Pairs", "[GRU: {units: 1}]", ("binary", 2, 1), id="two classes, one output"),
        pytest.param("Pairs", "[GRU: {units: 2}]", ("multiclass", 2, 2), id="two classes, two outputs"),
        pytest.param("Numbers", "[GRU: {units: 3}]", ("regression", None, 3), id="numbers"),
    ],
)
def test_data_loss_and_model_tell_the_task(
    data: str, model: str, told: tuple[str, int | None, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_other_data(monkeypatch)
    loss = {"Numbers": "Huber", "Pairs": "BinaryCrossEntropy"}.get(data, "CrossEntropy")
    config = rnnspec.loads(f"{{data: {data}, model: {model}, loss: {loss}}}")

    found = objective_of(config)  # type: ignore[arg-type]

    assert (found.task, found.classes, found.outputs) == told
