"""From what a layer is given to an initializer, a regularizer or a constraint: users' things, errors, repr."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec.errors import ConfigError
from rnnspec.nn import constraints, initializers, regularizers
from rnnspec.registry import CONSTRAINTS, INITIALIZERS, REGULARIZERS, Registry


@pytest.fixture(autouse=True)
def _forget_registrations() -> Iterator[None]:
    tables = (INITIALIZERS, REGULARIZERS, CONSTRAINTS)
    before = [dict(table._added) for table in tables]
    yield
    for table, names in zip(tables, before, strict=True):
        table._added = names


def halve(tensor: Tensor) -> Tensor:
    """In place, so that it is a fair initializer too."""
    return tensor.fill_(1.0).mul_(0.5)


class Halve:
    """A user's class that knows nothing of rnnspec."""

    def __init__(self, factor: float = 0.5) -> None:
        self.factor = factor

    def __call__(self, tensor: Tensor) -> Tensor:
        return tensor.fill_(1.0).mul_(self.factor)


class Needy(Halve):
    """A user's class that needs an argument."""

    def __init__(self, factor: float) -> None:
        super().__init__(factor)


def initialized(initializer: Callable[[Tensor], None]) -> Tensor:
    tensor = torch.empty(2)
    initializer(tensor)
    return tensor


def called(function: Callable[[Tensor], Tensor]) -> Tensor:
    return function(torch.ones(2))


KINDS = pytest.mark.parametrize(
    ("module", "table", "use"),
    [
        pytest.param(initializers, INITIALIZERS, initialized, id="initializer"),
        pytest.param(regularizers, REGULARIZERS, called, id="regularizer"),
        pytest.param(constraints, CONSTRAINTS, called, id="constraint"),
    ],
)
THINGS = pytest.mark.parametrize(
    ("thing", "expected"),
    [
        pytest.param(halve, 0.5, id="function"),
        pytest.param(Halve, 0.5, id="class"),
        pytest.param(Needy(4.0), 4.0, id="object"),
    ],
)


@THINGS
@KINDS
def test_a_users_thing_works_as_it_is(
    module: ModuleType, table: Registry, use: Callable[[Any], Tensor], thing: Any, expected: float
) -> None:
    assert use(module.get(thing)).tolist() == [expected, expected]


@THINGS
@KINDS
def test_a_users_thing_works_by_its_name(
    module: ModuleType, table: Registry, use: Callable[[Any], Tensor], thing: Any, expected: float
) -> None:
    table.add("mine", thing)

    assert use(module.get("mine")).tolist() == [expected, expected]


@KINDS
def test_a_users_name_may_be_an_alias_of_keras(
    module: ModuleType, table: Registry, use: Callable[[Any], Tensor]
) -> None:
    alias = {"initializer": "uniform", "regularizer": "l2", "constraint": "maxnorm"}[table.kind]
    assert module.get(alias) != module.Wrapped(halve)

    table.add(alias, halve)

    assert module.get(alias) == module.Wrapped(halve)


@KINDS
def test_a_wrapped_function_copies_pickles_and_shows_its_name(
    module: ModuleType, table: Registry, use: Callable[[Any], Tensor]
) -> None:
    wrapped = module.get(halve)

    assert repr(wrapped) == "halve"
    assert repr(module.get(Halve)) == "Halve"
    assert pickle.loads(pickle.dumps(wrapped)) == wrapped
    assert copy.deepcopy(wrapped) == wrapped


def test_a_torch_function_is_an_initializer() -> None:
    assert initialized(initializers.get(torch.nn.init.ones_)).tolist() == [1.0, 1.0]


def test_an_initializing_function_with_a_generator_gets_it() -> None:
    drawn = []
    for seed in (1, 1, 2):
        tensor = torch.empty(3, 4)
        initializers.get(torch.nn.init.xavier_uniform_)(tensor, torch.Generator().manual_seed(seed))
        drawn.append(tensor)

    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[1], drawn[2])


def test_a_users_regularizer_is_collected() -> None:
    wrapped = regularizers.get(halve)

    assert wrapped is not None
    assert wrapped.collect


@pytest.mark.parametrize(
    ("module", "own"),
    [
        pytest.param(initializers, initializers.Constant(2.0), id="initializer"),
        pytest.param(regularizers, regularizers.L2(2.0), id="regularizer"),
        pytest.param(constraints, constraints.MaxNorm(3.0), id="constraint"),
    ],
)
def test_an_object_is_returned_as_it_is(module: ModuleType, own: object) -> None:
    assert module.get(own) is own


@pytest.mark.parametrize("module", [regularizers, constraints], ids=["regularizer", "constraint"])
def test_none_is_none(module: ModuleType) -> None:
    assert module.get(None) is None


INITIALIZER_NAMES = (
    "Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Normal, Ones, "
    "Orthogonal, TruncatedNormal, Uniform, VarianceScaling, Zeros"
)


@pytest.mark.parametrize(
    ("module", "value", "message"),
    [
        pytest.param(
            initializers,
            "glorot_unifrm",
            f"unknown initializer 'glorot_unifrm', expected one of {INITIALIZER_NAMES}\n"
            "  hint: did you mean 'GlorotUniform'?",
            id="unknown-initializer",
        ),
        pytest.param(
            regularizers,
            "l1_2",
            "unknown regularizer 'l1_2', expected one of L1, L1L2, L2\n  hint: did you mean 'L1L2'?",
            id="unknown-regularizer",
        ),
        pytest.param(
            constraints,
            "norm",
            "unknown constraint 'norm', expected one of MaxNorm, MinMaxNorm, NonNeg, UnitNorm\n"
            "  hint: did you mean 'MaxNorm'?",
            id="unknown-constraint",
        ),
        pytest.param(
            initializers, None, "initializer must be a name, an object or a function, found None", id="no-initializer"
        ),
        pytest.param(regularizers, 0.1, "regularizer must be a name, an object or a function, found 0.1", id="number"),
        pytest.param(
            constraints,
            Needy,
            "constraint Needy needs arguments, give an object: "
            "Needy.__init__() missing 1 required positional argument: 'factor'",
            id="class-with-arguments",
        ),
    ],
)
def test_a_wrong_value_is_an_error(module: ModuleType, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        module.get(value)

    assert str(caught.value) == message
