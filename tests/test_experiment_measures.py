"""Metrics by torchmetrics's names, against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torchmetrics
from torch import Tensor

from rnnspec import ConfigError
from rnnspec.config.losses import LossConfig
from rnnspec.config.metrics import MetricConfig
from rnnspec.config.tags import tagged_config
from rnnspec.experiment.measures import Measures
from rnnspec.experiment.objectives import Objective
from rnnspec.registry import METRICS

Y = torch.tensor([2, 0, 1, 2, 2, 1, 0, 0])
OUTPUTS = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
LOSS = torch.tensor(0.5)


def measured(metrics: list[Any], given: Tensor = OUTPUTS, y: Tensor = Y, **objective: Any) -> dict[str, float]:
    """What metrics give for two batches."""
    made = measures(metrics, **objective)
    for part in (slice(0, 3), slice(3, None)):
        made.update(given[part], y[part], LOSS)
    return made.values()


def measures(
    metrics: list[Any], loss: str = "CrossEntropy", classes: int | None = 3, outputs: int = 3, labels: str = ""
) -> Measures:
    """The metrics of an experiment."""
    configs = [tagged_config(metric, MetricConfig) for metric in metrics]
    objective = Objective(tagged_config(loss, LossConfig), classes, outputs)  # type: ignore[arg-type]
    return Measures(configs, objective, tuple(labels))  # type: ignore[arg-type]


def counts(outputs: Tensor = OUTPUTS, y: Tensor = Y) -> np.ndarray:
    """The confusion matrix, counted by hand."""
    table = np.zeros((3, 3), dtype=int)
    for target, found in zip(y.tolist(), outputs.argmax(-1).tolist(), strict=True):
        table[target, found] += 1
    return table


def f1_scores() -> np.ndarray:
    """2 TP / (2 TP + FP + FN) of each class."""
    table = counts()
    met: np.ndarray = 2 * np.diag(table) / (table.sum(0) + table.sum(1))
    return met


class TestClasses:
    def test_accuracy_is_the_share_of_targets_that_are_met(self) -> None:
        assert measured(["accuracy"])["accuracy"] == pytest.approx(np.trace(counts()) / 8)

    def test_f1_is_brought_together_as_asked(self) -> None:
        found = measured(
            [{"F1Score": {"average": "macro"}}, {"F1Score": {"average": "none", "name": "f1"}}], labels="abc"
        )

        assert found["f1_score"] == pytest.approx(f1_scores().mean())
        assert [found[f"f1_{label}"] for label in "abc"] == pytest.approx(f1_scores())

    def test_without_labels_the_classes_are_numbered(self) -> None:
        found = measured([{"Recall": {"average": None}}])

        assert list(found) == ["loss", "recall_0", "recall_1", "recall_2"]
        assert list(found.values())[1:] == pytest.approx(np.diag(counts()) / counts().sum(1))

    def test_top_k_takes_the_most_probable_classes(self) -> None:
        best = OUTPUTS.argsort(descending=True)[:, :2].tolist()

        met = [target in row for target, row in zip(Y.tolist(), best, strict=True)]
        assert measured([{"Accuracy": {"top_k": 2}}])["accuracy"] == pytest.approx(np.mean(met))

    def test_area_under_the_curve_is_the_share_of_pairs_in_order(self) -> None:
        p = OUTPUTS.softmax(-1).numpy()
        areas = [np.mean([a > b for a in p[c == Y, c] for b in p[c != Y, c]]) for c in range(3)]

        assert measured(["AUROC"])["auroc"] == pytest.approx(np.mean(areas))

    def test_errors_are_those_of_the_probabilities(self) -> None:
        error = (OUTPUTS.softmax(-1) - torch.eye(3)[Y]).numpy()

        found = measured(["mae", "mse", "rmse"])

        assert found == pytest.approx(
            {
                "loss": 0.5,
                "mean_absolute_error": np.abs(error).mean(),
                "mean_squared_error": (error**2).mean(),
                "root_mean_squared_error": np.sqrt((error**2).mean()),
            }
        )

    def test_a_class_that_is_not_in_our_table_is_looked_up(self) -> None:
        found = measured(["MulticlassAccuracy", {"MulticlassF1Score": {"average": "micro", "name": "mine"}}])

        assert found["multiclass_accuracy"] == pytest.approx((np.diag(counts()) / counts().sum(1)).mean())
        assert found["mine"] == pytest.approx(np.trace(counts()) / 8)

    def test_one_output_for_two_classes(self) -> None:
        outputs, y = OUTPUTS[:, :1], Y % 2

        found = measured(["Accuracy", "Precision", "mse"], outputs, y, loss="BinaryCrossEntropy", classes=2, outputs=1)

        said, p = (outputs[:, 0] > 0).numpy(), outputs.sigmoid()[:, 0].numpy()
        assert found["accuracy"] == pytest.approx(np.mean(said == y.numpy()))
        assert found["precision"] == pytest.approx(np.mean(y.numpy()[said]))
        assert found["mean_squared_error"] == pytest.approx(np.mean((p - y.numpy()) ** 2))


class TestNumbers:
    def test_a_single_output(self) -> None:
        outputs, y = OUTPUTS[:, :1], OUTPUTS[:, 1:2]
        a, b = outputs[:, 0].double().numpy(), y[:, 0].double().numpy()

        found = measured(["r2", "mae", "pearson_corr_coef"], outputs, y, loss="Huber", classes=None, outputs=1)

        assert found["r2_score"] == pytest.approx(1 - np.sum((a - b) ** 2) / np.sum((b - b.mean()) ** 2), rel=1e-5)
        assert found["mean_absolute_error"] == pytest.approx(np.abs(a - b).mean())
        assert found["pearson_corr_coef"] == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-5)

    def test_several_outputs(self) -> None:
        y = OUTPUTS.roll(1, 0)

        found = measured(["mse", "PearsonCorrCoef"], y=y, loss="Huber", classes=None)

        a, b = OUTPUTS.double().numpy(), y.double().numpy()
        assert found["mean_squared_error"] == pytest.approx(((a - b) ** 2).mean())
        assert [found[f"pearson_corr_coef_{i}"] for i in range(3)] == pytest.approx(
            [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(3)], rel=1e-5
        )

    def test_there_is_no_confusion_matrix(self) -> None:
        made = measures([], loss="Huber", classes=None)
        made.update(OUTPUTS, OUTPUTS, LOSS)

        assert made.matrices() == {}


class TestLoss:
    def test_every_target_weighs_the_same(self) -> None:
        made = measures([])
        made.update(OUTPUTS[:2], Y[:2], torch.tensor(1.0))
        made.update(OUTPUTS[2:], Y[2:], torch.tensor(2.0))

        assert made.values() == {"loss": pytest.approx(1.75)}

    def test_a_loss_that_is_no_number_is_seen(self) -> None:
        made = measures([])
        made.update(OUTPUTS, Y, torch.tensor(float("nan")))

        assert np.isnan(made.values()["loss"])

    def test_what_was_measured_is_forgotten_when_asked(self) -> None:
        made = measures(["Accuracy"])
        made.update(OUTPUTS, Y, LOSS)

        made.reset()

        assert (made.values(), made.matrices()) == ({}, {})
        made.update(OUTPUTS[:1], Y[:1], LOSS)
        assert made.values()["accuracy"] in (0, 1)


class TestConfusionMatrix:
    def test_it_is_there_unasked(self) -> None:
        made = measures(["Accuracy"])
        made.update(OUTPUTS, Y, LOSS)

        assert {name: matrix.tolist() for name, matrix in made.matrices().items()} == {
            "confusion_matrix": counts().tolist()
        }
        assert list(made.values()) == ["loss", "accuracy"]

    def test_one_that_is_asked_for_takes_its_place(self) -> None:
        made = measures([{"ConfusionMatrix": {"normalize": "true", "name": "shares"}}])
        made.update(OUTPUTS, Y, LOSS)

        ((name, matrix),) = made.matrices().items()
        assert name == "shares"
        assert matrix.numpy() == pytest.approx(counts() / counts().sum(1, keepdims=True))


@pytest.mark.parametrize("tag", METRICS.names())
def test_every_metric_of_our_table_can_be_used(tag: str) -> None:
    needed = {"MinkowskiDistance": {"p": 2}}.get(tag, {})

    for classes, loss in ((3, "CrossEntropy"), (None, "Huber")):
        if classes or not METRICS.find(tag).of_classes:
            assert measures([{tag: needed}], loss=loss, classes=classes) is not None


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        pytest.param(
            "Fairness",
            f"metrics[0].Fairness: torchmetrics {torchmetrics.__version__} has no metric 'Fairness' of classes or "
            "numbers",
            id="no such class",
        ),
        pytest.param(
            {"MulticlassAccuracy": {"averge": "macro"}},
            "metrics[0].MulticlassAccuracy.averge: MulticlassAccuracy has no argument 'averge'\n"
            "  hint: did you mean 'average'? MulticlassAccuracy takes num_classes, top_k, average, multidim_average, "
            "ignore_index, validate_args",
            id="unknown argument",
        ),
        pytest.param(
            "CriticalSuccessIndex",
            "metrics[0].CriticalSuccessIndex: CriticalSuccessIndex needs the argument 'threshold'",
            id="missing argument",
        ),
        pytest.param(
            {"MulticlassAccuracy": {"average": "mean"}},
            "metrics[0].MulticlassAccuracy: torchmetrics' MulticlassAccuracy cannot be used here: expected argument "
            "`average` to be one of ('micro', 'macro', 'weighted', 'none', None), but got mean",
            id="wrong value",
        ),
        pytest.param(
            "SensitivityAtSpecificity",
            "metrics[0].SensitivityAtSpecificity: SensitivityAtSpecificity needs the argument 'min_specificity'",
            id="needs more",
        ),
        pytest.param(
            {"SensitivityAtSpecificity": {"min_specificity": 0.5}},
            "metrics[0].SensitivityAtSpecificity: SensitivityAtSpecificity gives no number, and no number for each "
            "class, so it has no column",
            id="no number",
        ),
        pytest.param(
            "BinaryAccuracy",
            "metrics[0].BinaryAccuracy: torchmetrics' BinaryAccuracy cannot be used here: predictions and targets are "
            "expected to have the same shape, but got torch.Size([24, 3]) and torch.Size([24])",
            id="another task",
        ),
    ],
)
def test_what_cannot_be_used_is_told_before_the_training(metric: Any, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        measures([metric])

    assert str(raised.value) == message


def test_all_that_is_wrong_is_told_together() -> None:
    with pytest.raises(ConfigError) as raised:
        measures(["Fairness", "Accuracy", "Nix"])

    assert [problem.path for problem in raised.value.problems] == ["metrics[0].Fairness", "metrics[2].Nix"]
