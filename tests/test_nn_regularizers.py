"""The regularizers: sums of Keras 2.0.8. The layers' golden losses are tested with the layers."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from rnnspec.nn import regularizers
from rnnspec.nn.regularizers import L1, L1L2, L2, Regularizer
from rnnspec.registry import REGULARIZERS

WEIGHT = torch.tensor([[1.0, -2.0, 0.0], [-3.0, 0.5, 4.0]], dtype=torch.float64)  # sum |w| = 10.5, sum w^2 = 30.25


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        pytest.param(L1(), 0.105, id="l1"),
        pytest.param(L1(0.3), 3.15, id="l1-0.3"),
        pytest.param(L2(), 0.3025, id="l2"),
        pytest.param(L2(l=0.1), 3.025, id="l2-0.1"),
        pytest.param(L1L2(), 0.4075, id="l1l2"),
        pytest.param(L1L2(0.1), 1.05 + 0.3025, id="l1l2-keeps-polyaxons-l2"),
        pytest.param(L1L2(0.0, 2.0), 60.5, id="l2-alone"),
        pytest.param(L1L2(0.0, 0.0), 0.0, id="nothing"),
    ],
)
def test_loss_is_the_sum(regularizer: Regularizer, expected: float) -> None:
    loss = regularizer(WEIGHT)

    assert loss.shape == ()
    assert loss.dtype == WEIGHT.dtype
    assert loss.item() == pytest.approx(expected, rel=1e-14)


def test_gradient_is_l1_times_the_sign_and_twice_l2_times_the_weight() -> None:
    weight = WEIGHT.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(L1L2(0.1, 0.2)(weight), weight)

    torch.testing.assert_close(gradient, 0.1 * WEIGHT.sign() + 0.4 * WEIGHT)


def test_a_factor_of_zero_leaves_its_sum_out() -> None:
    assert L1L2(0.1, 0.0)(torch.tensor([1e200], dtype=torch.float64)).item() == pytest.approx(1e199)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, L1(0.01)) for name in ("L1", "l1")),
        *((name, L2(0.01)) for name in ("L2", "l2")),
        *((name, L1L2(0.01, 0.01)) for name in ("L1L2", "l1l2", "l1_l2")),
    ],
)
def test_names(name: str, expected: Regularizer) -> None:
    assert regularizers.get(name) == expected


def test_every_built_in_name_of_the_registry_is_known() -> None:
    assert {name for name in REGULARIZERS.names() if not REGULARIZERS.is_users(name)} <= set(regularizers._NAMES)


def test_collect_is_on_unless_switched_off() -> None:
    assert L2().collect
    assert not L2(collect=False).collect


@pytest.mark.parametrize(
    ("regularizer", "text"),
    [
        (L1(), "L1()"),
        (L2(0.5, name="loss"), "L2(l=0.5, name='loss')"),
        (L1L2(l2=0.5, collect=False), "L1L2(l2=0.5, collect=False)"),
    ],
    ids=str,
)
def test_repr_pickle_copy_and_equality(regularizer: Regularizer, text: str) -> None:
    assert repr(regularizer) == text
    assert pickle.loads(pickle.dumps(regularizer)) == regularizer
    assert copy.deepcopy(regularizer) == regularizer
    assert regularizer != L1(7.0)


def test_regularizers_of_other_classes_are_not_equal() -> None:
    one: Regularizer = L1(0.01)

    assert one != L2(0.01)


def test_a_regularizer_must_define_its_call() -> None:
    class Lazy(Regularizer):
        """Forgot something."""

    with pytest.raises(NotImplementedError) as caught:
        Lazy()(WEIGHT)

    assert str(caught.value) == "Lazy must define __call__(tensor)"
