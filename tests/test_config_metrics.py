"""Metrics in configs: names, columns, and arguments with torchmetrics's names and defaults."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torchmetrics.classification
import torchmetrics.regression
from attrs import fields
from experiment_cases import use_other_data

from rnnspec import ConfigError, config, dump, from_dict, loads
from rnnspec.config.metrics import MetricConfig
from rnnspec.config.tags import tagged_config
from rnnspec.registry import METRICS


def metric(value: Any) -> MetricConfig:
    """A metric in any of its forms."""
    found = tagged_config(value, MetricConfig)
    assert isinstance(found, MetricConfig)
    return found


@pytest.mark.parametrize("tag", METRICS.names())
def test_arguments_and_defaults_are_torchmetrics_own(tag: str) -> None:
    cls = METRICS.find(tag)
    of_classes = hasattr(torchmetrics.classification, tag)
    found = getattr(torchmetrics.classification if of_classes else torchmetrics.regression, tag)
    parameters = inspect.signature(found.__new__ if of_classes else found.__init__).parameters

    assert (cls.identifier, cls.of_classes) == (tag, of_classes)
    for attribute in fields(cls):
        if attribute.name != "name":
            ours = inspect.Parameter.empty if attribute.default.__class__.__name__ == "_Nothing" else attribute.default
            assert parameters[attribute.name].default == ours


@pytest.mark.parametrize(
    ("written", "made", "column"),
    [
        ("Accuracy", config.AccuracyMetricConfig(), "accuracy"),
        ("accuracy", config.AccuracyMetricConfig(), "accuracy"),
        ("acc", config.AccuracyMetricConfig(), "accuracy"),
        ("sparse_categorical_accuracy", config.AccuracyMetricConfig(), "accuracy"),
        ("f1_score", config.F1ScoreMetricConfig(), "f1_score"),
        ("mae", config.MeanAbsoluteErrorMetricConfig(), "mean_absolute_error"),
        ("mean_absolute_error", config.MeanAbsoluteErrorMetricConfig(), "mean_absolute_error"),
        (
            "rmse",
            config.MeanSquaredErrorMetricConfig(False, name="root_mean_squared_error"),
            "root_mean_squared_error",
        ),
        (
            {"top_k_categorical_accuracy": {"top_k": 3}},
            config.AccuracyMetricConfig(top_k=3, name="top_k_categorical_accuracy"),
            "top_k_categorical_accuracy",
        ),
        ({"F1Score": {"average": "macro", "name": "f1"}}, config.F1ScoreMetricConfig(0.5, "macro", name="f1"), "f1"),
        ("cosine_proximity", config.CosineSimilarityMetricConfig("mean"), "cosine_similarity"),
        (
            {"LogAUC": {"thresholds": 5, "name": "log"}},
            config.OtherMetricConfig("LogAUC", {"thresholds": 5}, name="log"),
            "log",
        ),
        ("EER", config.OtherMetricConfig("EER"), "eer"),
    ],
    ids=str,
)
def test_a_metric_has_many_names(written: Any, made: MetricConfig, column: str) -> None:
    assert metric(written) == made
    assert made.column == column


@pytest.mark.parametrize("prefix", ["Binary", "Multiclass"])
@pytest.mark.parametrize("tag", [tag for tag in METRICS.names() if METRICS.find(tag).of_classes])
def test_the_class_of_one_task_is_no_misspelling(prefix: str, tag: str) -> None:
    assert isinstance(metric(prefix + tag), config.OtherMetricConfig)


def test_metrics_are_read_back_from_what_they_write() -> None:
    made = config.ExperimentConfig("Flatten", metrics=["mae", {"LogAUC": {"thresholds": 5, "name": "log"}}, "rmse"])

    assert from_dict(made.to_schema()) == made
    assert loads(dump(made)) == made
    assert "- MeanAbsoluteError\n" in dump(made)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        pytest.param(
            ["Acuracy"],
            f"metrics[0]: unknown metric 'Acuracy', expected one of {', '.join(METRICS.names())}\n"
            "  hint: did you mean 'Accuracy'?",
            id="misspelled",
        ),
        pytest.param(
            [{"F1Score": {"averge": "macro"}}],
            "metrics[0].F1Score.averge: F1Score has no argument 'averge'\n"
            "  hint: did you mean 'average'? F1Score takes threshold, average, top_k, ignore_index, name",
            id="unknown argument",
        ),
        pytest.param(
            [{"F1Score": {"average": "mean", "top_k": 0}}],
            "metrics[0].F1Score.average: average must be micro, macro, weighted or none, found 'mean'\n"
            "metrics[0].F1Score.top_k: top_k must be a positive integer, found 0",
            id="wrong values",
        ),
        pytest.param(
            [{"Accuracy": {"name": "../a"}}],
            "metrics[0].Accuracy.name: name must be a name of letters, digits and _, found '../a'",
            id="no name",
        ),
        pytest.param(
            ["mse", {"MeanSquaredError": {"squared": False}}],
            "metrics[1].MeanSquaredError: metrics 0 and 1 are both called 'mean_squared_error'\n"
            "  hint: give one of them a name: {MeanSquaredError: {name: second}}",
            id="one column",
        ),
        pytest.param(
            [3], "metrics[0]: a metric is a name, or a mapping of one name to its arguments, found 3", id="no metric"
        ),
    ],
)
def test_what_is_wrong_is_told_by_check(metrics: list[Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        from_dict({"model": "Flatten", "metrics": metrics})

    assert str(raised.value) == message


def test_what_compares_classes_is_refused_where_targets_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    use_other_data(monkeypatch)

    with pytest.raises(ConfigError) as raised:
        from_dict({"model": "Flatten", "data": "Numbers", "metrics": ["Accuracy", "mae"]})

    assert str(raised.value) == (
        "loss: CrossEntropy compares classes, the targets of Numbers are numbers\n"
        "  hint: for example `loss: MeanSquaredError`\n"
        "metrics[0]: Accuracy compares classes, the targets of Numbers are numbers\n"
        "  hint: for example MeanAbsoluteError"
    )
