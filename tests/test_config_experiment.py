"""Experiments: data, losses, optimizers, metrics, training."""

from __future__ import annotations

from typing import Any

import pytest

from rnnspec import config, from_dict
from rnnspec.config.base import TaggedConfig
from rnnspec.config.tags import tagged_config
from rnnspec.errors import ConfigError
from rnnspec.registry import DATASETS, LOSSES, OPTIMIZERS


def test_what_is_left_out_or_null_has_its_default() -> None:
    made = from_dict({"model": "Flatten", "train": None, "loss": None, "optimizer": None, "data": None})

    assert made == config.ExperimentConfig(config.FlattenConfig())
    assert made.to_dict() == {
        "model": {"Flatten": config.FlattenConfig().to_dict()},
        "data": None,
        "loss": {"CrossEntropy": {"label_smoothing": 0.0}},
        "optimizer": {
            "Adam": {
                "learning_rate": 0.001,
                "beta_1": 0.9,
                "beta_2": 0.999,
                "epsilon": 1e-8,
                "weight_decay": 0.0,
                "amsgrad": False,
            }
        },
        "metrics": [],
        "train": {
            "epochs": 10,
            "batch_size": 32,
            "seed": None,
            "shuffle": True,
            "gradient_clip": None,
            "validation_split": 0.0,
            "drop_last": False,
            "group_by_length": False,
        },
    }


def test_an_experiment_has_every_part() -> None:
    data = {
        "model": [{"LSTM": {"units": 3}}, {"Dense": {"units": 9}}],
        "data": {"JapaneseVowels": {"standardize": False}},
        "loss": {"Huber": {"delta": 2}},
        "optimizer": {"SGD": {"learning_rate": 1, "momentum": 0.9, "nesterov": True}},
        "metrics": ["Accuracy"],
        "train": {
            "epochs": 3,
            "batch_size": 8,
            "seed": 1,
            "shuffle": False,
            "gradient_clip": 1,
            "validation_split": 0.1,
            "drop_last": True,
        },
    }

    made = from_dict(data)

    assert made == config.ExperimentConfig(
        config.SequentialConfig([config.LSTMConfig(3), config.DenseConfig(9)]),
        config.JapaneseVowelsConfig(False),
        config.HuberLossConfig(2.0),
        config.SGDConfig(1.0, 0.9, True),
        ["Accuracy"],
        config.TrainConfig(3, 8, 1, False, 1.0, 0.1, True),
    )
    assert made.to_schema() == made.to_dict()
    assert from_dict(made.to_schema()) == made


def test_parts_may_be_plain_data_in_python_too() -> None:
    made = config.ExperimentConfig("Flatten", "JapaneseVowels", "huber", {"SGD": {}}, train={"epochs": 3})

    assert made == config.ExperimentConfig(
        config.FlattenConfig(),
        config.JapaneseVowelsConfig(),
        config.HuberLossConfig(),
        config.SGDConfig(),
        train=config.TrainConfig(3),
    )


def test_all_mistakes_of_an_experiment_are_reported_in_one_go() -> None:
    data = {
        "model": [{"LSTM": {"units": 0}}],
        "data": {"JapaneseVowels": {"standardise": True}},
        "loss": "huver",
        "optimizer": {"Adam": {"lr": 3, "beta_1": 1}},
        "metrics": [{"MeanAbsoluteError": {"squared": True}}],
        "train": {"epochs": 0, "gradient_clip": 0},
        "metric": [],
    }
    with pytest.raises(ConfigError) as error:
        from_dict(data)

    assert str(error.value) == (
        "model[0].LSTM.units: units must be a positive integer, found 0\n"
        "data.JapaneseVowels.standardise: JapaneseVowels has no argument 'standardise'\n"
        "  hint: did you mean 'standardize'? JapaneseVowels takes standardize\n"
        "loss: unknown loss 'huver', expected one of BinaryCrossEntropy, CrossEntropy, Huber, MeanAbsoluteError, "
        "MeanSquaredError\n"
        "  hint: did you mean 'Huber'?\n"
        "optimizer.Adam.beta_1: beta_1 must be a number from 0 to below 1, found 1\n"
        "optimizer.Adam.lr: Adam has no argument 'lr'\n"
        "  hint: Adam takes learning_rate, beta_1, beta_2, epsilon, weight_decay, amsgrad\n"
        "metrics[0].MeanAbsoluteError.squared: MeanAbsoluteError has no argument 'squared'\n"
        "  hint: MeanAbsoluteError takes name\n"
        "train.epochs: epochs must be a positive integer, found 0\n"
        "train.gradient_clip: gradient_clip must be a positive number, found 0\n"
        "metric: experiment has no argument 'metric'\n"
        "  hint: did you mean 'metrics'? experiment takes model, data, loss, optimizer, metrics, train"
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            {"data": {"JapanesVowels": {}}},
            "data.JapanesVowels: unknown data set 'JapanesVowels', expected one of HKCanCor, JapaneseVowels\n"
            "  hint: did you mean 'JapaneseVowels'?",
        ),
        ({"metrics": "Accuracy"}, "metrics must be a list of metrics, found 'Accuracy'"),
        ({"train": [3]}, "train takes a mapping of arguments, found a list"),
        (
            {"train": {"validation_split": 1}},
            "train.validation_split: validation_split must be a number from 0 to below 1, found 1",
        ),
        ({"optimizer": {"SGD": {"nesterov": True}}}, "optimizer.SGD.nesterov: nesterov needs a momentum above 0"),
        (
            {"optimizer": {"SGD": {"learning_rate": 0}}},
            "optimizer.SGD.learning_rate: learning_rate must be a positive number, found 0",
        ),
    ],
    ids=lambda value: str(value).partition("\n")[0],
)
def test_a_wrong_part_is_refused(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        from_dict({"model": "Flatten", **written})

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("family", "alias", "made"),
    [
        (config.LossConfig, "cross_entropy", config.CrossEntropyLossConfig()),
        (config.LossConfig, "binary_cross_entropy", config.BinaryCrossEntropyLossConfig()),
        (config.LossConfig, "mean_squared_error", config.MeanSquaredErrorLossConfig()),
        (config.LossConfig, "mean_absolute_error", config.MeanAbsoluteErrorLossConfig()),
        (config.LossConfig, "huber", config.HuberLossConfig()),
        (config.OptimizerConfig, "sgd", config.SGDConfig()),
        (config.OptimizerConfig, "adam", config.AdamConfig()),
        (config.OptimizerConfig, "adamw", config.AdamWConfig()),
        (config.OptimizerConfig, "adam_w", config.AdamWConfig()),
        (config.OptimizerConfig, "rmsprop", config.RMSpropConfig()),
        (config.OptimizerConfig, "rms_prop", config.RMSpropConfig()),
        (config.OptimizerConfig, "RMSProp", config.RMSpropConfig()),
    ],
)
def test_an_alias_names_the_same(family: type[TaggedConfig], alias: str, made: TaggedConfig) -> None:
    assert tagged_config(alias, family) == made


@pytest.mark.parametrize("tag", LOSSES.names())
def test_a_loss_is_one_of_torch(tag: str) -> None:
    import torch

    loss = LOSSES.find(tag)()

    assert loss.identifier == tag
    assert isinstance(getattr(torch.nn, loss.torch_name)(**loss.torch_arguments()), torch.nn.Module)


@pytest.mark.parametrize("tag", OPTIMIZERS.names())
def test_an_optimizer_is_one_of_torch(tag: str) -> None:
    import torch

    optimizer = OPTIMIZERS.find(tag)()
    made = getattr(torch.optim, tag)([torch.zeros(1, requires_grad=True)], **optimizer.torch_arguments())

    assert optimizer.identifier == tag
    assert made.defaults["lr"] == optimizer.learning_rate


def test_an_optimizers_arguments_have_torchs_names() -> None:
    assert config.AdamConfig(0.5, 0.1, 0.2, 0.3).torch_arguments() == {
        "lr": 0.5,
        "betas": (0.1, 0.2),
        "eps": 0.3,
        "weight_decay": 0.0,
        "amsgrad": False,
    }
    assert config.RMSpropConfig(0.5, 0.1, 0.3).torch_arguments() == {
        "lr": 0.5,
        "alpha": 0.1,
        "eps": 0.3,
        "momentum": 0.0,
        "centered": False,
        "weight_decay": 0.0,
    }


@pytest.mark.parametrize("tag", DATASETS.names())
def test_a_data_set_says_what_its_sequences_are(tag: str) -> None:
    data = DATASETS.find(tag)()

    assert data.identifier == tag
    steps = (data.channels,) if data.tokens is None else ()
    assert config.ExperimentConfig("Flatten", data).input_shape == (None, None, *steps)
    assert config.ExperimentConfig("Flatten").input_shape is None
