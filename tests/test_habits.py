"""What people who come from torch.nn, or to their first layer, try first: each is answered with what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import rnnspec
from rnnspec import nn
from rnnspec.errors import ConfigError, ConfigWarning, DataError, Error, MaskError, ShapeError

X = torch.zeros(2, 5, 4)
STATES = (torch.zeros(2, 3), torch.zeros(2, 3))
HABITS: dict[str, tuple[Callable[[], Any], type[Error], str]] = {
    "torch's sizes in place": (
        lambda: nn.LSTM(4, 3), ConfigError,
        "activation must be a name, a function or None, found 3\n"
        "  hint: layers take units first: LSTM(units, input_size=...)",
    ),
    "torch's sizes by name": (
        lambda: nn.LSTM(input_size=4, hidden_size=3), ConfigError,
        "LSTM has no argument 'hidden_size'\n  hint: it is called units here: LSTM(units, input_size=...)",
    ),
    "batch_first": (
        lambda: nn.GRU(3, batch_first=True), ConfigError,
        "GRU has no argument 'batch_first'\n  hint: the batch comes first, time_major=True puts time before it",
    ),
    "two directions and two layers": (
        lambda: nn.LSTM(3, bidirectional=True, num_layers=2), ConfigError,
        "LSTM has no argument 'bidirectional'\n  hint: wrap the layer: Bidirectional(LSTM(...))\n"
        "LSTM has no argument 'num_layers'\n"
        "  hint: put the layers into a Sequential, all but the last one with return_sequences=True",
    ),
    "a misspelled argument": (
        lambda: nn.Dense(3, activaton="tanh"), ConfigError,
        "Dense has no argument 'activaton'\n  hint: did you mean 'activation'?",
    ),
    "a misspelled argument of a config": (
        lambda: rnnspec.config.EmbeddingConfig(input_dim=3, output_dims=2), ConfigError,
        "output_dims: EmbeddingConfig has no argument 'output_dims'\n"
        "  hint: did you mean 'output_dim'? EmbeddingConfig takes ",
    ),
    "states after the input": (
        lambda: nn.LSTM(3, input_size=4)(X, STATES), MaskError,
        "LSTM expects a mask of shape (batch, time) = (2, 5), found (2, 3)\n"
        "  hint: states are given by name: initial_state=[h, c]",
    ),
    "layers one by one": (
        lambda: nn.Sequential(nn.LSTM(3), nn.Dense(2)), ConfigError,
        "Sequential takes a list of layers, found LSTM",
    ),
    "rows without time for a model": (
        lambda: nn.Sequential([nn.LSTM(3, input_size=4), nn.Dense(2)])(X[:, 0]), ShapeError,
        "Sequential expects an input of shape (batch, time, features), found (2, 4)\n"
        "  hint: one sequence is a batch of one: x.unsqueeze(0)",
    ),
    "text for build": (
        lambda: rnnspec.build("LSTM: {units: 3}"), ConfigError,
        "build takes a config, found str\n"
        "  hint: rnnspec.loads(text), rnnspec.load(path) or rnnspec.from_dict(data) makes one",
    ),
    "an id that is too large": (
        lambda: nn.Embedding(10, 4)(torch.tensor([[1, 99]])), DataError,
        "Embedding has the ids 0 to 9, as input_dim=10 says, found 99",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), HABITS.values(), ids=HABITS)
def test_a_habit_is_answered_with_what_to_write(call: Callable[[], Any], kind: type[Error], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(message) if message.endswith("takes ") else str(caught.value) == message


def test_layers_that_all_take_one_sequence_may_get_it_in_a_model() -> None:
    model = nn.Sequential([nn.LSTM(3, input_size=4, return_sequences=True), nn.Bidirectional(nn.GRU(2))])
    torch.testing.assert_close(model(X[0]), model(X[:1]).squeeze(0))


def test_a_users_layer_may_take_what_it_likes() -> None:
    class Mine(nn.Dense):
        def __init__(self, hidden_size: int, **options: Any) -> None:
            self_scale = options.pop("scale")
            super().__init__(hidden_size, **options)
            self.scale = self_scale

    assert Mine(hidden_size=3, scale=2.0).units == 3


@pytest.mark.parametrize(
    ("loss", "activation", "last"),
    [
        ("CrossEntropy", "softmax", {"Dense": {"units": 2, "activation": "softmax"}}),
        ("BinaryCrossEntropy", "sigmoid", {"Activation": {"activation": "sigmoid"}}),
    ],
    ids=["Dense", "Activation"],
)
def test_an_activation_before_a_loss_of_logits_warns(loss: str, activation: str, last: dict[str, Any]) -> None:
    with pytest.warns(ConfigWarning) as caught:
        rnnspec.ExperimentConfig(model=[{"LSTM": {"units": 2}}, last], loss=loss)
    assert str(caught[0].message) == (
        f"{loss} takes logits and applies {activation} itself; leave {activation} out of the last layer"
    )


@pytest.mark.compiled
def test_lengths_in_a_list_compile_into_one_graph() -> None:
    layer = nn.GRU(3, input_size=4)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(X, lengths=[5, 2]), layer(X, lengths=[5, 2]))
