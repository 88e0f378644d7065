"""The initializers: distributions, fans, seeds, names. The goldens are from Keras 2.0.8 on TensorFlow 1.4.1."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from rnnspec.errors import ConfigError, ConfigWarning, ShapeError
from rnnspec.nn import initializers
from rnnspec.nn.initializers import (
    Constant,
    GlorotUniform,
    HeNormal,
    Identity,
    Initializer,
    Normal,
    Ones,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    UnitForgetBias,
    VarianceScaling,
    Zeros,
    orthogonal_from,
)
from rnnspec.nn.variance_scaling import fans
from rnnspec.registry import INITIALIZERS

GOLDEN = Path(__file__).parent / "golden" / "tensorflow"
LISTS = json.loads((GOLDEN / "aux.json").read_text())
ARRAYS = numpy.load(GOLDEN / "aux.npz")
TRUNCATED = 0.8796  # standard deviation of a standard normal that is cut off at +-2
RANDOM = [Uniform, Normal, TruncatedNormal, VarianceScaling, GlorotUniform, HeNormal, Orthogonal]


def fill(initializer: Initializer, *shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    tensor = torch.full(shape, torch.nan, dtype=dtype)
    initializer(tensor, torch.Generator().manual_seed(seed))
    return tensor


def case_id(case: dict[str, Any]) -> str:
    return "-".join([str(case.get("name", case.get("gain"))), *map(str, case["shape"])])


@pytest.mark.parametrize("case", LISTS["variance_scaling"], ids=case_id)
def test_golden_spread(case: dict[str, Any]) -> None:
    """Fans, bound and standard deviation are Keras's; 400 draws leave a noise of 2 % at most."""
    initializer, shape = initializers.get(case["name"]), case["shape"]
    drawn = torch.stack([fill(initializer, *shape, seed=seed) for seed in range(400)])
    expected = case["param_stddev"] * (TRUNCATED if case["distribution"] == "normal" else 1.0)

    assert fans(tuple(shape)) == pytest.approx((case["fan_in"], case["fan_out"]), rel=1e-12)
    assert drawn.std().item() == pytest.approx(expected, rel=0.04)
    assert drawn.std().item() == pytest.approx(case["observed_std"], rel=0.1)
    assert abs(drawn.mean().item()) < 0.05 * expected
    assert 0.98 * case["bound"] < drawn.abs().max().item() <= case["bound"] * (1 + 1e-12)


@pytest.mark.parametrize("case", LISTS["orthogonal"], ids=case_id)
def test_golden_orthogonal(case: dict[str, Any]) -> None:
    """From the same normal draws come Keras's values, up to the sign of each row (more columns) or column."""
    rows, columns = case["shape"]
    normal = numpy.random.RandomState(case["seed"]).normal(0.0, 1.0, (rows, columns))
    expected = torch.from_numpy(ARRAYS[case["key"]])
    found = case["gain"] * orthogonal_from(torch.from_numpy(normal))
    sign = (found * expected).sum(dim=1 if columns > rows else 0, keepdim=True).sign()

    torch.testing.assert_close(found * sign, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 12), (5, 2), (4, 4), (1, 1), (6,), (2, 3, 4)], ids=str)
def test_orthogonal_has_orthonormal_rows_or_columns(shape: tuple[int, ...]) -> None:
    matrix = fill(Orthogonal(gain=1.5), *shape).reshape(-1, shape[-1])
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix

    torch.testing.assert_close(product, 2.25 * torch.eye(len(product), dtype=torch.float64))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param((3, 12), (3.0, 12.0), id="matrix"),
        pytest.param((9,), (3.0, 3.0), id="bias"),
        pytest.param((), (1.0, 1.0), id="scalar"),
        pytest.param((5, 3, 8), (15.0, 40.0), id="conv1d"),
        pytest.param((5, 2, 3, 8), (30.0, 80.0), id="conv2d"),
        pytest.param((5, 2, 2, 3, 8), (60.0, 160.0), id="conv3d"),
        pytest.param((2, 2, 2, 2, 2, 2), (8.0, 8.0), id="six-axes"),
    ],
)
def test_fans(shape: tuple[int, ...], expected: tuple[float, float]) -> None:
    assert fans(shape) == expected


@pytest.mark.parametrize(
    ("mode", "bound"),
    [("fan_in", 12.0 / 4), ("fan_out", 12.0 / 16), ("fan_avg", 12.0 / 10)],
)
def test_variance_scaling_modes(mode: str, bound: float) -> None:
    drawn = fill(VarianceScaling(4.0, mode, "uniform"), 4, 16, seed=1)

    assert 0.8 * bound**0.5 < drawn.abs().max().item() <= bound**0.5


@pytest.mark.parametrize("shape", [(1, 400), (400, 0)], ids=str)
def test_a_width_below_one_counts_as_one(shape: tuple[int, ...]) -> None:
    drawn = fill(VarianceScaling(1.0, "fan_in" if shape[1] else "fan_out", "uniform"), *shape)

    assert drawn.shape == shape
    assert drawn.numel() == 0 or 0.98 * 3**0.5 < drawn.abs().max().item() <= 3**0.5


@pytest.mark.parametrize(
    ("initializer", "mean", "stddev", "low", "high"),
    [
        pytest.param(Uniform(), 0.5, 12**-0.5, 0.0, 1.0, id="uniform"),
        pytest.param(Uniform(2.0, 4.0), 3.0, 3**-0.5, 2.0, 4.0, id="uniform-2-4"),
        pytest.param(Normal(), 0.0, 1.0, -6.0, 6.0, id="normal"),
        pytest.param(Normal(3.0, 0.5), 3.0, 0.5, 0.0, 6.0, id="normal-3-0.5"),
        pytest.param(TruncatedNormal(), 0.0, 0.05 * TRUNCATED, -0.1, 0.1, id="truncated"),
        pytest.param(TruncatedNormal(3.0, 0.5), 3.0, 0.5 * TRUNCATED, 2.0, 4.0, id="truncated-3-0.5"),
    ],
)
def test_plain_distributions(initializer: Initializer, mean: float, stddev: float, low: float, high: float) -> None:
    drawn = fill(initializer, 200, 200)

    assert drawn.mean().item() == pytest.approx(mean, abs=0.03 * stddev)
    assert drawn.std().item() == pytest.approx(stddev, rel=0.02)
    assert low <= drawn.min().item() < drawn.max().item() <= high


def test_a_truncated_normal_without_spread_is_its_mean() -> None:
    assert fill(TruncatedNormal(2.0, 0.0), 3).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        pytest.param(Zeros(), [[0.0, 0.0], [0.0, 0.0]], id="zeros"),
        pytest.param(Ones(), [[1.0, 1.0], [1.0, 1.0]], id="ones"),
        pytest.param(Constant(0.5), [[0.5, 0.5], [0.5, 0.5]], id="constant"),
        pytest.param(Identity(), [[1.0, 0.0], [0.0, 1.0]], id="identity"),
        pytest.param(Identity(3.0), [[3.0, 0.0], [0.0, 3.0]], id="identity-gain"),
    ],
)
def test_fixed_values(initializer: Initializer, expected: list[list[float]]) -> None:
    assert fill(initializer, 2, 2).tolist() == expected


def test_unit_forget_bias_is_one_at_the_forget_gate() -> None:
    assert fill(UnitForgetBias(2), 8).tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("shape", [(3, 12), (4,), (2, 2, 2)], ids=str)
def test_identity_needs_a_square_matrix(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as caught:
        fill(Identity(), *shape)

    assert str(caught.value) == f"Identity needs a square matrix, found the shape {shape}"


@pytest.mark.parametrize("kind", RANDOM)
def test_a_seed_gives_the_same_numbers_whatever_was_drawn_before(kind: type[Any]) -> None:
    first = fill(kind(seed=7), 3, 5, seed=1)
    torch.rand(3)
    before = torch.get_rng_state()
    second = torch.empty(3, 5, dtype=torch.float64)
    kind(seed=7)(second)

    assert torch.equal(first, second)
    assert not torch.equal(first, fill(kind(seed=8), 3, 5))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", RANDOM)
def test_without_a_seed_the_generator_counts(kind: type[Any]) -> None:
    before = torch.get_rng_state()

    assert torch.equal(fill(kind(), 3, 5, seed=1), fill(kind(), 3, 5, seed=1))
    assert not torch.equal(fill(kind(), 3, 5, seed=1), fill(kind(), 3, 5, seed=2))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", RANDOM)
def test_without_seed_and_generator_torch_counts(kind: type[Any]) -> None:
    tensors = [torch.empty(3, 5), torch.empty(3, 5), torch.empty(3, 5)]
    for tensor, seed in zip(tensors, (1, 1, None), strict=True):
        if seed is not None:
            torch.manual_seed(seed)
        kind()(tensor)

    assert torch.equal(tensors[0], tensors[1])
    assert not torch.equal(tensors[1], tensors[2])


@pytest.mark.parametrize("kind", [*RANDOM, Zeros, Constant])
def test_a_smaller_dtype_gets_the_float32_numbers(kind: type[Any]) -> None:
    single = fill(kind(), 3, 5, dtype=torch.float32)

    assert torch.equal(fill(kind(), 3, 5, dtype=torch.bfloat16), single.to(torch.bfloat16))


@pytest.mark.parametrize("kind", RANDOM)
def test_the_default_device_does_not_matter(kind: type[Any]) -> None:
    expected, found = fill(kind(), 4, 4), torch.empty(4, 4, dtype=torch.float64)
    with torch.device("meta"):
        kind()(found, torch.Generator(device="cpu").manual_seed(0))
        kind(seed=3)(found)
        kind()(found, torch.Generator(device="cpu").manual_seed(0))

    assert torch.equal(found, expected)


@pytest.mark.parametrize("kind", [*RANDOM, Zeros, Identity])
def test_a_meta_tensor_is_left_alone_and_draws_nothing(kind: type[Any]) -> None:
    before = torch.get_rng_state()
    kind()(torch.empty(3, 5, device="meta"))

    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", [*RANDOM, Ones])
def test_a_parameter_and_a_strided_view_are_filled_in_place(kind: type[Any]) -> None:
    parameter = torch.nn.Parameter(torch.full((3, 5), torch.nan))
    kind()(parameter)
    view = torch.full((5, 3), torch.nan).T
    kind()(view)

    assert parameter.requires_grad
    assert parameter.grad_fn is None
    assert not parameter.isnan().any()
    assert not view.isnan().any()


@pytest.mark.parametrize("dtype", ["float64", torch.float64], ids=["name", "torch"])
def test_a_dtype_that_differs_from_the_weight_is_a_warning(dtype: Any) -> None:
    message = "Zeros has dtype float64, the weight has float32: the weight's dtype is used"
    with pytest.warns(ConfigWarning) as caught:
        Zeros(dtype=dtype)(torch.empty(2))

    assert [str(item.message) for item in caught] == [message]
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_the_weights_own_dtype_is_no_warning() -> None:
    assert fill(Zeros(dtype="float64"), 2).tolist() == [0.0, 0.0]


SAME = [
    ("Zeros zeros zero", Zeros()),
    ("Ones ones one", Ones()),
    ("Constant constant", Constant(0.0)),
    ("Uniform", Uniform(0.0, 1.0)),
    ("RandomUniform random_uniform uniform", Uniform(-0.05, 0.05)),
    ("Normal", Normal(0.0, 1.0)),
    ("RandomNormal random_normal normal", Normal(0.0, 0.05)),
    ("TruncatedNormal truncated_normal", TruncatedNormal(0.0, 0.05)),
    ("VarianceScaling variance_scaling", VarianceScaling(1.0, "fan_in", "normal")),
    ("Identity identity", Identity(1.0)),
    ("Orthogonal orthogonal", Orthogonal(1.0)),
    ("GlorotUniform glorot_uniform", GlorotUniform()),
    ("GlorotNormal glorot_normal", initializers.GlorotNormal()),
    ("HeUniform he_uniform", initializers.HeUniform()),
    ("HeNormal he_normal", HeNormal()),
    ("LecunUniform lecun_uniform", initializers.LecunUniform()),
    ("LecunNormal lecun_normal", initializers.LecunNormal()),
]


@pytest.mark.parametrize(
    ("name", "expected"), [pytest.param(name, thing, id=name) for names, thing in SAME for name in names.split()]
)
def test_names(name: str, expected: Initializer) -> None:
    assert initializers.get(name) == expected


def test_every_built_in_name_of_the_registry_is_tested() -> None:
    tested = {name for names, _ in SAME for name in names.split()}

    assert {name for name in INITIALIZERS.names() if not INITIALIZERS.is_users(name)} <= tested
    assert tested == set(initializers._NAMES)


def test_variance_scaling_tells_all_wrong_arguments_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        VarianceScaling(0.0, "fan_sum", "gamma")

    assert str(caught.value).splitlines() == [
        "scale must be positive, found 0.0",
        "mode must be one of fan_in, fan_out, fan_avg, found 'fan_sum'",
        "distribution must be one of normal, uniform, found 'gamma'",
    ]


def test_an_initializer_must_define_draw() -> None:
    class Lazy(Initializer):
        """Forgot something."""

    with pytest.raises(NotImplementedError) as caught:
        Lazy().draw((2,), torch.float32, None)

    assert str(caught.value) == "Lazy must define draw(shape, dtype, generator)"


@pytest.mark.parametrize(
    ("initializer", "text"),
    [
        (GlorotUniform(), "GlorotUniform()"),
        (GlorotUniform(seed=3), "GlorotUniform(seed=3)"),
        (Orthogonal(0.5, 7), "Orthogonal(gain=0.5, seed=7)"),
        (VarianceScaling(mode="fan_out"), "VarianceScaling(mode='fan_out')"),
        (UnitForgetBias(2), "UnitForgetBias(units=2)"),
    ],
    ids=str,
)
def test_repr_pickle_copy_and_equality(initializer: Initializer, text: str) -> None:
    assert repr(initializer) == text
    assert pickle.loads(pickle.dumps(initializer)) == initializer
    assert copy.deepcopy(initializer) == initializer
    assert initializer != Zeros()
    assert len({initializer, copy.deepcopy(initializer)}) == 1


def test_initializers_of_one_seed_but_other_classes_are_not_equal() -> None:
    same: list[Initializer] = [GlorotUniform(seed=1), initializers.HeUniform(seed=1), GlorotUniform(seed=2)]

    assert [same.index(item) for item in same] == [0, 1, 2]
