"""Properties: what a config writes, it reads back to an equal config."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from config_strategies import experiments, layers, models
from hypothesis import given

from rnnspec import from_dict
from rnnspec.config.base import Config, TaggedConfig
from rnnspec.errors import ConfigWarning


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        yield


@given(layers)
def test_a_layer_is_read_back_from_what_it_writes(layer: TaggedConfig) -> None:
    assert type(layer).from_dict(layer.to_dict()) == layer
    assert from_dict(layer.to_schema()) == layer
    assert from_dict({"class_name": layer.identifier, "config": layer.to_dict()}) == layer


@given(models | experiments)
def test_a_document_is_read_back_from_what_it_writes(made: Config) -> None:
    assert from_dict(made.to_schema()) == made


@given(layers | experiments)
def test_writing_is_stable_and_plain(made: Config) -> None:
    data = made.to_dict()

    assert type(made).from_dict(data).to_dict() == data
    assert_plain(data)


@given(layers | models)
def test_copies_are_equal(made: Any) -> None:
    assert pickle.loads(pickle.dumps(made)) == made
    assert attrs.evolve(made) == made


@given(layers)
def test_what_repr_leaves_out_is_the_default(layer: Any) -> None:
    shown = repr(layer)
    for attribute in attrs.fields(type(layer)):
        if f"{attribute.name}=" not in shown:
            assert getattr(layer, attribute.name) == attribute.default


def assert_plain(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            assert type(key) is str
            assert_plain(item)
    elif isinstance(value, list):
        for item in value:
            assert_plain(item)
    else:
        assert type(value) in (str, int, float, bool, type(None))
