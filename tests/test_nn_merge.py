"""The layers with several inputs: values against NumPy, broadcasting, masks, and the words of their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import rnnspec
from rnnspec import config, factory, nn
from rnnspec.errors import ConfigError, DTypeError, Error, MaskError, ShapeError
from rnnspec.nn import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from rnnspec.nn.merge import Merge
from rnnspec.shapes import Shape

GENERATOR = torch.Generator().manual_seed(1)
A, B, C = (torch.randn(2, 5, 3, dtype=torch.float64, generator=GENERATOR) for _ in range(3))
ROW = torch.randn(2, 3, dtype=torch.float64, generator=GENERATOR)
VALID = torch.arange(5) < torch.tensor([[5], [2]])
ODD = torch.arange(5).expand(2, 5) % 2 == 1


def layers_and_rules() -> list[tuple[Merge, Callable[..., Any]]]:
    return [
        (Add(), lambda *x: sum(x)),
        (Multiply(), lambda *x: np.prod(x, axis=0)),
        (Average(), lambda *x: np.mean(x, axis=0)),
        (Maximum(), lambda *x: np.max(x, axis=0)),
        (Minimum(), lambda *x: np.min(x, axis=0)),
    ]


elementwise = pytest.mark.parametrize(
    ("layer", "rule"), layers_and_rules(), ids=lambda value: getattr(value, "label", "")
)


@elementwise
@pytest.mark.parametrize("count", [2, 3])
def test_numbers_are_merged_one_by_one(layer: Merge, rule: Callable[..., Any], count: int) -> None:
    inputs = [A, B, C][:count]

    np.testing.assert_allclose(layer(inputs), rule(*(x.numpy() for x in inputs)), rtol=1e-14)


def test_subtract_takes_the_second_from_the_first() -> None:
    assert torch.equal(Subtract()([A, B]), A - B)


@elementwise
@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_missing_axes_come_after_the_batch(layer: Merge, rule: Callable[..., Any], first: bool) -> None:
    inputs = [ROW, A] if first else [A, ROW]
    spread = [np.broadcast_to(x.numpy() if x.dim() == 3 else x.numpy()[:, None], A.shape) for x in inputs]

    np.testing.assert_allclose(layer(inputs), rule(*spread), rtol=1e-14)


def test_a_size_of_one_is_stretched() -> None:
    assert torch.equal(Add()([A, B[:, :1]]), A + B[:, :1])


@pytest.mark.parametrize("axis", [-1, 2, 1, [1], 0, -2], ids=str)
def test_concatenate_joins_along_an_axis(axis: Any) -> None:
    place = axis[0] if isinstance(axis, list) else axis

    assert np.array_equal(Concatenate(axis)([A, B, C]), np.concatenate([A, B, C], axis=place))


@pytest.mark.parametrize(
    ("first", "second", "axes", "equation"),
    [
        ((2, 3), (2, 3), 1, "bi,bi->b"),
        ((2, 3), (2, 3), -1, "bi,bi->b"),
        ((2, 5, 3), (2, 4, 3), 2, "bij,bkj->bik"),
        ((2, 5, 3), (2, 4, 3), -1, "bij,bkj->bik"),
        ((2, 3, 5), (2, 3, 4), 1, "bji,bjk->bik"),
        ((2, 5, 3), (2, 3, 4), (2, 1), "bij,bjk->bik"),
        ((2, 5, 3), (2, 3), (2, 1), "bij,bj->bi"),
        ((2, 3), (2, 5, 3), [1, -1], "bj,bij->bi"),
        ((2, 5, 3), (2, 5), 1, "bji,bj->bi"),
        ((2, 4, 5, 3), (2, 3, 6), (3, 1), "bhij,bjk->bhik"),
    ],
    ids=str,
)
def test_dot_sums_over_an_axis_of_each(first: Shape, second: Shape, axes: Any, equation: str) -> None:
    one, other = torch.randn(first, dtype=torch.float64), torch.randn(second, dtype=torch.float64)
    expected = np.einsum(equation, one, other)
    output = Dot(axes)([one, other])

    np.testing.assert_allclose(output, expected.reshape(output.shape), rtol=1e-12, atol=1e-12)
    assert output.shape == (expected.shape if expected.ndim > 1 else (2, 1))
    assert Dot(axes).compute_output_shape([first, second]) == tuple(output.shape)


def test_a_normalized_dot_is_the_cosine() -> None:
    cosine = torch.nn.functional.cosine_similarity(A.unsqueeze(2), B.unsqueeze(1), dim=3)

    torch.testing.assert_close(Dot(2, normalize=True)([A, B]), cosine)


def test_a_vector_of_zeros_has_the_cosine_zero_and_a_short_one_is_not_stretched() -> None:
    # tf.nn.l2_normalize divides by sqrt(max(sum of squares, 1e-12)).
    short = torch.tensor([[1e-7, 0.0]], dtype=torch.float64)

    assert Dot(1, True)([short, torch.tensor([[1.0, 0.0]], dtype=torch.float64)]).item() == pytest.approx(0.1)
    assert Dot(1, True)([0 * short, short]).item() == 0.0


@pytest.mark.parametrize(
    "layer", [Add(), Subtract(), Multiply(), Average(), Maximum(), Minimum(), Concatenate(1), Dot(2, True)], ids=repr
)
def test_the_gradients_are_right(layer: Merge) -> None:
    def call(*x: Tensor) -> Tensor:
        output: Tensor = layer(list(x))
        return output

    assert torch.autograd.gradcheck(call, (A.clone().requires_grad_(), B.clone().requires_grad_()))


# Shapes, by layer and by config

SHAPES: list[tuple[str, dict[str, Any], list[Shape], Shape]] = [
    ("Add", {}, [(2, 5, 3), (2, 5, 3)], (2, 5, 3)),
    ("Add", {}, [(None, 5, 3), (2, None, 3)], (2, 5, 3)),
    ("Add", {}, [(None, None, 3), (None, None, 3)], (None, None, 3)),
    ("Maximum", {}, [(2, 1, 3), (2, 5, 1), (2, 3)], (2, 5, 3)),
    ("Average", {}, [(2, None, 3), (2, 1, 3)], (2, None, 3)),
    ("Multiply", {}, [(2,), (2, 5, 3)], (2, 5, 3)),
    ("Minimum", {}, [(2, 4, 5, 3), (2, 3)], (2, 4, 5, 3)),
    ("Subtract", {}, [(None, 3), (None, 5, 3)], (None, 5, 3)),
    ("Concatenate", {}, [(None, 5, 3), (None, None, 4)], (None, 5, 7)),
    ("Concatenate", {"axis": 1}, [(2, 5, 3), (None, None, 3)], (2, None, 3)),
    ("Concatenate", {"axis": 0}, [(2, 5), (3, 5)], (5, 5)),
    ("Dot", {"axes": 2}, [(None, 5, 3), (2, 4, 3)], (2, 5, 4)),
    ("Dot", {"axes": -1}, [(None, 3), (None, None)], (None, 1)),
]


@pytest.mark.parametrize(("name", "arguments", "shapes", "output"), SHAPES, ids=str)
def test_layer_and_config_know_the_output_shape(
    name: str, arguments: dict[str, Any], shapes: Sequence[Shape], output: Shape
) -> None:
    assert getattr(nn, name)(**arguments).compute_output_shape(shapes) == output
    assert getattr(config, f"{name}Config")(**arguments).compute_output_shape(shapes) == output


WRONG: list[tuple[str, dict[str, Any], list[Shape], str]] = [
    ("Add", {}, [(2, 5, 3)], "expected two inputs or more, found (2, 5, 3)"),
    ("Add", {}, [], "expected two inputs or more, found none"),
    ("Subtract", {}, [(2, 3)] * 3, "expected two inputs, found (2, 3) and (2, 3) and (2, 3)"),
    ("Add", {}, [(2, 3), (4, 3)], "expected inputs with one batch size, found (2, 3) and (4, 3)"),
    (
        "Multiply", {}, [(2, 5, 3), (None, 5, 4)],
        "expected inputs with equal sizes, or 1, at every axis, found (2, 5, 3) and (None, 5, 4)",
    ),
    (
        "Average", {}, [(2, 3), (2, 3), (2, 4)],
        "expected inputs with equal sizes, or 1, at every axis, found (2, 3) and (2, 3) and (2, 4)",
    ),
    (
        "Concatenate", {}, [(2, 5, 3), (2, 6, 3)],
        "expected inputs with equal sizes at every axis but -1, found (2, 5, 3) and (2, 6, 3)",
    ),
    ("Concatenate", {}, [(2, 5, 3), (2, 3)], "expected inputs of one rank, found (2, 5, 3) and (2, 3)"),
    ("Concatenate", {"axis": 3}, [(2, 5, 3)] * 2, "axis 3 is none of an input's, found (2, 5, 3)"),
    ("Dot", {"axes": 1}, [(2, 5)], "expected two inputs, found (2, 5)"),
    (
        "Dot", {"axes": (2, 1)}, [(2, 5, 3), (2, 4, 3)],
        "expected equal sizes at the axis 2 of the first input and 1 of the second, found (2, 5, 3) and (2, 4, 3)",
    ),
    ("Dot", {"axes": 1}, [(2, 3), (4, 3)], "expected inputs with one batch size, found (2, 3) and (4, 3)"),
    ("Dot", {"axes": 2}, [(2, 5, 3), (2, 3)], "axis 2 is none of an input's but the batch's, found (2, 3)"),
    ("Dot", {"axes": -2}, [(2, 3), (2, 3)], "axis -2 is none of an input's but the batch's, found (2, 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "shapes", "message"), WRONG, ids=str)
def test_inputs_that_do_not_fit(name: str, arguments: dict[str, Any], shapes: list[Shape], message: str) -> None:
    layer, described = getattr(nn, name)(**arguments, name="m"), getattr(config, f"{name}Config")(**arguments)
    with pytest.raises(ShapeError) as caught:
        described.compute_output_shape(shapes)
    assert str(caught.value) == message

    with pytest.raises(ShapeError) as caught:
        layer.build(shapes)
    assert str(caught.value) == f"{name} 'm': {message}"

    known = [[5 if size is None else size for size in shape] for shape in shapes]
    with pytest.raises(ShapeError, match=rf"^{name} 'm': "):
        layer([torch.zeros(shape) for shape in known])


# Masks


@pytest.mark.parametrize("layer", [Add(), Concatenate(), Concatenate(2)], ids=repr)
@pytest.mark.parametrize(
    ("masks", "expected"),
    [((VALID, ODD), VALID & ODD), ((VALID, None), VALID), ((None, ODD), ODD), ((None, None), None), (None, None)],
    ids=["both", "first", "second", "none", "no list"],
)
def test_a_step_is_valid_where_it_is_in_all(layer: Merge, masks: Any, expected: Tensor | None) -> None:
    found = layer.compute_mask([A, B], masks)

    assert (found is None) == (expected is None)
    assert expected is None or found is None or torch.equal(found, expected)


@pytest.mark.parametrize(
    ("layer", "masks", "expected"),
    [
        (Add(mask_rule="any"), (VALID, ODD), VALID | ODD),
        (Add(mask_rule="any"), (VALID, None), None),
        (Add(mask_rule="any"), (None, None), None),
        (Concatenate(mask_rule="any"), (VALID, ODD), VALID | ODD),
        (Concatenate(mask_rule="any"), (VALID, None), torch.ones(2, 5, dtype=torch.bool)),
        (Concatenate(1, mask_rule="any"), (VALID, ODD), torch.cat([VALID, ODD], 1)),
    ],
    ids=["both", "one", "none", "features", "features-one", "time"],
)
def test_or_in_any_as_in_newer_keras_3(layer: Merge, masks: Any, expected: Tensor | None) -> None:
    found = layer.compute_mask([A, B], masks)

    assert (found is None) == (expected is None)
    assert expected is None or found is None or torch.equal(found, expected)


@pytest.mark.parametrize("axis", [1, -2])
@pytest.mark.parametrize("second", [ODD, None], ids=["masked", "unmasked"])
def test_masks_are_joined_along_time(axis: int, second: Tensor | None) -> None:
    expected = torch.cat([VALID, torch.ones_like(ODD) if second is None else second], 1)
    found = Concatenate(axis).compute_mask([A, B], [VALID, second])

    assert found is not None
    assert torch.equal(found, expected)


def test_no_mask_leaves_a_dot() -> None:
    assert Dot(2).compute_mask([A, B], [VALID, ODD]) is None


def test_a_mask_beside_the_inputs_changes_nothing() -> None:
    assert torch.equal(Add()([A, B], mask=[VALID, None]), A + B)


V, O = VALID.unsqueeze(-1), ODD.unsqueeze(-1)
LARGER, SMALLER = torch.maximum(A, B), torch.minimum(A, B)


@pytest.mark.parametrize(
    ("layer", "masks", "expected"),
    [
        (Multiply, (VALID, ODD), torch.where(V, A, 1.0) * torch.where(O, B, 1.0) * (V | O)),
        (Multiply, (VALID, None), torch.where(V, A * B, B)),
        (Maximum, (VALID, ODD), torch.where(V & O, LARGER, torch.where(O & ~V, B, A))),
        (Maximum, (VALID, None), torch.where(V, LARGER, B)),
        (Minimum, (None, ODD), torch.where(O, SMALLER, A)),
        (Add, (VALID, ODD), A + B),
    ],
    ids=["product", "product-one", "maximum", "maximum-first", "minimum-second", "sum"],
)
def test_masked_inputs_are_left_out_as_in_newer_keras_3(layer: Any, masks: Any, expected: Tensor) -> None:
    torch.testing.assert_close(layer(mask_rule="any")([A, B], mask=masks), expected)
    torch.testing.assert_close(layer()([A, B], mask=masks), layer()([A, B]))


@pytest.mark.parametrize(("mask", "found"), [([VALID], "a list of 1"), (VALID, "Tensor")], ids=["too few", "no list"])
def test_masks_come_one_for_each_input(mask: Any, found: str) -> None:
    with pytest.raises(MaskError) as caught:
        Concatenate(name="c").compute_mask([A, B], mask)

    assert str(caught.value) == f"Concatenate 'c' takes a list of masks, one for each of its 2 inputs, found {found}"


@pytest.mark.parametrize(
    ("layer", "masks", "leaves"),
    [
        (config.AddConfig(), (True, False), True),
        (config.AddConfig(), (False, None), None),
        (config.AddConfig(), (False, False), False),
        (config.AddConfig(mask_rule="any"), (True, True), True),
        (config.AddConfig(mask_rule="any"), (True, None), None),
        (config.AddConfig(mask_rule="any"), (True, False), False),
        (config.ConcatenateConfig(mask_rule="any"), (True, False), True),
        (config.ConcatenateConfig(), (False, None), None),
        (config.ConcatenateConfig(), (False, False), False),
        (config.DotConfig(1), (True, True), False),
    ],
    ids=str,
)
def test_a_config_knows_whether_a_mask_leaves(layer: config.MergeConfig, masks: Any, leaves: bool | None) -> None:
    assert layer.output_mask(masks) is leaves


# Errors


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: Add()(A), ShapeError, "Add takes a list of inputs, found Tensor"),
        (
            lambda: Add(name="a")([A, B.float()]), DTypeError,
            "Add 'a' takes inputs of one dtype, found torch.float64 and torch.float32",
        ),
        (
            lambda: Add(input_shape=(3,)), ConfigError,
            "Add has several inputs, an input_shape is for layers with one",
        ),
        (
            lambda: config.AddConfig(batch_input_shape=(2, 3)), ConfigError,
            "batch_input_shape: Add has several inputs, an input_shape is for layers with one",
        ),
        (
            lambda: nn.Sequential([nn.Dense(3), Add(name="a")]), ConfigError,
            "Add 'a' has several inputs, which only a graph can give it",
        ),
        (
            lambda: nn.TimeDistributed(Add()), ConfigError,
            "Add has several inputs, which only a graph can give it",
        ),
        (
            lambda: config.SequentialConfig([{"Dense": {"units": 3}}, "Add"]), ConfigError,
            "layers[1].Add: Add has several inputs, which only a graph can give it",
        ),
        (
            lambda: config.TimeDistributedConfig("Add"), ConfigError,
            "layer.Add: Add has several inputs, which only a graph can give it",
        ),
        (
            lambda: config.infer(config.AddConfig()).raise_error(), ConfigError,
            "Add has several inputs, which only a graph can give it",
        ),
    ],
    ids=["tensor", "dtypes", "shape", "config-shape", "sequential", "steps", "config", "config-steps", "alone"],
)  # fmt: skip
def test_what_cannot_work(call: Callable[[], Any], kind: type[Error], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "layer", [Add(name="a"), Maximum(mask_rule="any"), Concatenate([1]), Dot([1, -1], True), Dot(2)], ids=repr
)
def test_a_layer_knows_its_config_and_that_its_data(layer: Merge) -> None:
    found: Any = rnnspec.config_of(layer)

    assert type(found).from_dict(found.to_dict()) == found
    assert repr(factory.target(found)(**{name: getattr(found, name) for name in layer_arguments(found)})) == repr(layer)


def layer_arguments(described: Any) -> list[str]:
    """The arguments that a merge layer shows."""
    return [name for name in ("axis", "axes", "normalize", "mask_rule") if hasattr(described, name)]


def test_autocast_may_mix_dtypes() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert Add()([A.float(), B.bfloat16()]).dtype == torch.float32


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Add(), "Add()"),
        (Maximum(mask_rule="any"), "Maximum(mask_rule='any')"),
        (Concatenate(), "Concatenate(axis=-1)"),
        (Concatenate(1, mask_rule="any"), "Concatenate(axis=1, mask_rule='any')"),
        (Dot([1, 2]), "Dot(axes=(1, 2))"),
        (Dot(1, normalize=True), "Dot(axes=1, normalize=True)"),
    ],
    ids=str,
)
def test_repr(layer: Merge, text: str) -> None:
    assert repr(layer) == text
