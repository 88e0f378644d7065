"""The constraints: the goldens are from Keras 2.0.8 on TensorFlow 1.4.1."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from rnnspec.errors import ConfigWarning
from rnnspec.nn import constraints
from rnnspec.nn.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from rnnspec.registry import CONSTRAINTS

GOLDEN = Path(__file__).parent / "golden" / "tensorflow"
CASES = json.loads((GOLDEN / "aux.json").read_text())["constraints"]
ARRAYS = numpy.load(GOLDEN / "aux.npz")
WEIGHT = torch.tensor([[3.0, 0.3, -1.0], [4.0, -0.4, 0.0]], dtype=torch.float64)  # columns of norm 5, 0.5, 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['class']}-{case['key']}")
def test_golden(case: dict[str, Any]) -> None:
    constraint = getattr(constraints, case["class"])(**case["args"])
    found = constraint(torch.from_numpy(ARRAYS[case["source"]]))

    torch.testing.assert_close(found, torch.from_numpy(ARRAYS[case["key"]]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        pytest.param(MaxNorm(), [2.0, 0.5, 1.0], id="max-norm"),
        pytest.param(MaxNorm(0.5), [0.5, 0.5, 0.5], id="max-norm-0.5"),
        pytest.param(UnitNorm(), [1.0, 1.0, 1.0], id="unit-norm"),
        pytest.param(MinMaxNorm(), [1.0, 0.5, 1.0], id="min-max-norm"),
        pytest.param(MinMaxNorm(2.0, 3.0), [3.0, 2.0, 2.0], id="min-max-norm-2-3"),
        pytest.param(MinMaxNorm(2.0, 3.0, 0.5), [4.0, 1.25, 1.5], id="half-of-the-way"),
    ],
)
def test_norms_of_the_columns(constraint: Constraint, expected: list[float]) -> None:
    found = constraint(WEIGHT)

    assert found.dtype == WEIGHT.dtype
    assert found.norm(dim=0).tolist() == pytest.approx(expected, rel=1e-6)
    assert torch.equal(found.sign(), WEIGHT.sign())


@pytest.mark.parametrize("axis", [[0, 1, 2], (0, 1, 2)], ids=["list", "tuple"])
def test_a_norm_may_be_over_several_axes(axis: Any) -> None:
    kernel = torch.randn(3, 2, 4, 5)

    torch.testing.assert_close(UnitNorm(axis)(kernel).square().sum((0, 1, 2)), torch.ones(5), rtol=1e-5, atol=0.0)


@pytest.mark.parametrize("constraint", [MaxNorm(), UnitNorm(), MinMaxNorm()], ids=str)
def test_a_weight_of_zeros_stays_finite(constraint: Constraint) -> None:
    assert constraint(torch.zeros(2, 3)).tolist() == [[0.0] * 3] * 2


def test_epsilon_is_keras() -> None:
    weight = torch.tensor([1e-7], dtype=torch.float64)

    assert UnitNorm()(weight).item() == pytest.approx(0.5, rel=1e-12)
    assert MaxNorm()(weight).item() == pytest.approx(0.5e-7, rel=1e-12)
    assert MinMaxNorm(1.0, 2.0)(weight).item() == pytest.approx(0.5, rel=1e-12)


def test_non_neg_sets_negative_values_to_zero() -> None:
    assert NonNeg()(torch.tensor([-1.0, 0.0, 2.0, -torch.inf])).tolist() == [0.0, 0.0, 2.0, 0.0]


def test_w_of_non_neg_is_a_warning() -> None:
    with pytest.warns(ConfigWarning) as caught:
        NonNeg(w=0.1)

    assert [str(item.message) for item in caught] == ["NonNeg has an argument w, which has no meaning"]
    assert caught[0].filename == __file__


def test_the_weight_itself_is_not_changed() -> None:
    before = WEIGHT.clone()
    for constraint in (MaxNorm(), UnitNorm(), MinMaxNorm(), NonNeg()):
        constraint(WEIGHT)

    assert torch.equal(before, WEIGHT)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, MaxNorm(2.0, 0)) for name in ("MaxNorm", "max_norm", "maxnorm")),
        *((name, NonNeg()) for name in ("NonNeg", "non_neg", "nonneg")),
        *((name, UnitNorm(0)) for name in ("UnitNorm", "unit_norm", "unitnorm")),
        *((name, MinMaxNorm(0.0, 1.0, 1.0, 0)) for name in ("MinMaxNorm", "min_max_norm")),
    ],
)
def test_names(name: str, expected: Constraint) -> None:
    assert constraints.get(name) == expected


def test_every_built_in_name_of_the_registry_is_known() -> None:
    assert {name for name in CONSTRAINTS.names() if not CONSTRAINTS.is_users(name)} <= set(constraints._NAMES)


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (NonNeg(), "NonNeg()"),
        (MaxNorm(3.0), "MaxNorm(max_value=3.0)"),
        (MinMaxNorm(rate=0.5, axis=1), "MinMaxNorm(rate=0.5, axis=1)"),
    ],
    ids=str,
)
def test_repr_pickle_copy_and_equality(constraint: Constraint, text: str) -> None:
    assert repr(constraint) == text
    assert pickle.loads(pickle.dumps(constraint)) == constraint
    assert copy.deepcopy(constraint) == constraint
    assert constraint != MaxNorm(7.0)


def test_a_constraint_must_define_its_call() -> None:
    class Lazy(Constraint):
        """Forgot something."""

    with pytest.raises(NotImplementedError) as caught:
        Lazy()(WEIGHT)

    assert str(caught.value) == "Lazy must define __call__(tensor)"
