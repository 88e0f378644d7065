"""GaussianNoise, GaussianDropout, AlphaDropout: their distributions, seeds, and where they act."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec.errors import ShapeError
from rnnspec.nn import GRU, AlphaDropout, Embedding, GaussianDropout, GaussianNoise, Sequential
from rnnspec.nn.base import Layer
from rnnspec.nn.dropout import bell_noise

COUNT = 200_000
LAYERS = [GaussianNoise(0.5), GaussianDropout(0.2), AlphaDropout(0.3)]
every_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)


def fraction_below(numbers: Tensor, bound: float) -> float:
    return (numbers < bound).double().mean().item()


@pytest.mark.parametrize(("bound", "expected"), [(-2.0, 0.02275), (-1.0, 0.15866), (0.0, 0.5), (1.5, 0.93319)])
def test_noise_has_the_normal_distribution(bound: float, expected: float) -> None:
    noise = GaussianNoise(3.0)(torch.zeros(COUNT))

    assert fraction_below(noise, 3.0 * bound) == pytest.approx(expected, abs=4 * math.sqrt(0.25 / COUNT))
    assert noise.unique().numel() > 0.95 * COUNT


def test_noise_is_added() -> None:
    x = torch.full((COUNT,), 5.0)

    assert GaussianNoise(0.1)(x).mean().item() == pytest.approx(5.0, abs=1e-3)


def test_gaussian_dropout_multiplies_with_the_variance_of_dropout() -> None:
    rate = 0.2
    factors = GaussianDropout(rate)(torch.full((COUNT,), 2.0)) / 2.0

    assert factors.mean().item() == pytest.approx(1.0, abs=5e-3)
    assert factors.std().item() == pytest.approx(math.sqrt(rate / (1 - rate)), rel=0.01)
    assert fraction_below(factors, 1.0 - 2.0 * math.sqrt(rate / (1 - rate))) == pytest.approx(0.02275, abs=2e-3)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(rate: float) -> None:
    output = AlphaDropout(rate)(torch.randn(COUNT, dtype=torch.float64))

    assert output.mean().item() == pytest.approx(0.0, abs=0.02)
    assert output.var().item() == pytest.approx(1.0, abs=0.03)


def test_alpha_dropout_has_the_numbers_of_the_definition() -> None:
    # Keras 2.0.8's AlphaDropout.call, with its own names.
    rate, x = 0.3, torch.linspace(-3, 3, 1000, dtype=torch.float64)
    alpha_p = -1.6732632423543772 * 1.0507009873554805
    a = ((1 - rate) * (1 + rate * alpha_p**2)) ** -0.5
    b = -a * alpha_p * rate
    output = AlphaDropout(rate)(x)
    kept = (output - (a * x + b)).abs() < 1e-12

    assert kept.double().mean().item() == pytest.approx(0.7, abs=0.06)
    torch.testing.assert_close(output[~kept], torch.full_like(output[~kept], a * alpha_p + b))


def test_noise_shape_shares_a_mask() -> None:
    output = AlphaDropout(0.5, (None, 1, None))(torch.ones(8, 5, 6))

    assert torch.equal(output, output[:, :1].expand(8, 5, 6))
    assert output.unique().numel() == 2
    with pytest.raises(ShapeError) as caught:
        AlphaDropout(0.5, (3, 2), name="a")(torch.ones(8, 5))
    message = "AlphaDropout 'a': the noise_shape (3, 2) does not fit an input of shape (8, 5)"
    assert str(caught.value) == message


@every_layer
def test_evaluation_changes_nothing(layer: Layer) -> None:
    x = torch.randn(4, 5)

    assert layer.eval()(x) is x
    assert layer.train()(x) is not x


@pytest.mark.parametrize(
    "layer", [GaussianNoise(0), GaussianDropout(0), GaussianDropout(1), AlphaDropout(0), AlphaDropout(1)], ids=repr
)
def test_no_noise_and_a_rate_of_exactly_one_change_nothing(layer: Layer) -> None:
    x = torch.randn(4, 5)

    assert layer(x) is x


@pytest.mark.parametrize("make", [GaussianNoise, GaussianDropout, AlphaDropout])
def test_a_seed_makes_calls_reproducible_and_each_its_own(make: Any) -> None:
    x = torch.randn(4, 5)
    one, other = make(0.5, seed=3), make(0.5, seed=3)
    torch.manual_seed(7)
    first, second = one(x), one(x)

    assert not torch.equal(first, second)
    assert torch.equal(other(x), first)
    assert torch.equal(other(x), second)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_noise_is_the_same_in_every_dtype_but_for_its_digits(dtype: torch.dtype) -> None:
    seed = torch.tensor([1, 2])
    noise, exact = (
        bell_noise(seed, 1.0, (50,), dtype=kind, device=torch.device("cpu")) for kind in (dtype, torch.float64)
    )

    assert noise.dtype == dtype
    assert torch.equal(noise, exact.to(dtype))


def test_the_noise_of_a_seed_stays_what_it_is() -> None:
    noise = bell_noise(torch.tensor([1, 2]), 2.0, (2, 2), dtype=torch.float64, device=torch.device("cpu"))

    # From the hash in Python's own integers, and statistics.NormalDist(0, 2).inv_cdf.
    expected = [[-0.3246471765648823, -3.226519101943174], [3.7847850417884037, 0.3183649002454082]]
    torch.testing.assert_close(noise, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=0.0)


@pytest.mark.compiled
def test_compiled_noise_is_the_eager_one() -> None:
    layer, x = GaussianNoise(0.5), torch.zeros(4, 5)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.manual_seed(1)
    expected = layer(x)
    torch.manual_seed(1)

    assert torch.equal(compiled(x), expected)


@every_layer
def test_a_mask_goes_on_to_the_next_layer(layer: Layer) -> None:
    embedding, gru = Embedding(9, 4, mask_zero=True), GRU(3)
    ids = torch.tensor([[3, 5, 0], [2, 0, 0]])
    model = Sequential([embedding, layer, gru]).eval()

    assert torch.equal(model(ids), gru(embedding(ids), mask=ids != 0))


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (GaussianNoise(1), "GaussianNoise(stddev=1.0)"),
        (GaussianDropout(0.5), "GaussianDropout(rate=0.5)"),
        (AlphaDropout(0.5, (None, 1)), "AlphaDropout(rate=0.5, noise_shape=(None, 1))"),
    ],
    ids=str,
)
def test_repr(layer: Layer, text: str) -> None:
    assert repr(layer) == text
