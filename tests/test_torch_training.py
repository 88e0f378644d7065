"""Every recurrent layer among torch's tools for weights, training and processes; torch.nn.LSTM beside."""

from __future__ import annotations

import copy
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrizations, parametrize, prune
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from transform_cases import FEATURES, UNITS, Subject, gradients, row

from rnnspec import nn
from rnnspec.errors import WeightsError

slow = pytest.mark.slow


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Subject:
    return Subject(request.param)


def check_it_acts(subject: Subject, change: Callable[[Any, str], object], meant: Callable[[Tensor], Tensor]) -> None:
    """Checks that a module whose weight was changed by torch's tool computes with what the tool is meant to make of it.

    Args:
        subject: The layer.
        change: Given the module and the weight's name, applies the tool.
        meant: What the weight is then, from what it was.
    """
    data, plain = subject.data(), copy.deepcopy(subject.module)
    change(subject.module, subject.recurrent)

    def agrees() -> bool:
        used = {**dict(plain.named_parameters()), subject.recurrent: meant(getattr(plain, subject.recurrent))}
        torch.testing.assert_close(subject(*data), subject(*data, module=plain, weights=used))
        return True

    assert agrees()
    trained = [parameter for name, parameter in subject.module.named_parameters() if subject.recurrent in name]
    _, *slopes = gradients(subject(*data), trained)
    assert all((slope != 0).any() for slope in slopes)
    with torch.no_grad():  # as an optimizer's step does
        trained[0].mul_(1.5)
        getattr(plain, subject.recurrent).mul_(1.5)
    assert agrees()


class Doubled(torch.nn.Module):
    """A parametrization."""

    def forward(self, weight: Tensor) -> Tensor:
        """Twice the weight."""
        return 2.0 * weight


@row("`torch.nn.utils.parametrize`")
def test_a_parametrization_acts(subject: Subject) -> None:
    check_it_acts(
        subject,
        lambda module, name: parametrize.register_parametrization(module, name, Doubled()),
        lambda weight: 2.0 * weight,
    )


@row("`parametrizations.weight_norm`")
def test_weight_norm_acts(subject: Subject) -> None:
    check_it_acts(subject, parametrizations.weight_norm, lambda weight: weight)


@row("`parametrizations.orthogonal`")
def test_an_orthogonal_weight_stays_orthogonal(subject: Subject) -> None:
    """What it makes of a weight is its own affair, but it has orthonormal rows or columns, and the output shows it."""
    data, module = subject.data(), subject.module
    plain = copy.deepcopy(module)
    parametrizations.orthogonal(module, subject.recurrent, orthogonal_map="cayley")
    with torch.no_grad():
        next(module.parametrizations[subject.recurrent].parameters()).add_(0.5)

    used = getattr(module, subject.recurrent)

    short = used if used.shape[0] <= used.shape[1] else used.t()
    torch.testing.assert_close(short @ short.t(), torch.eye(len(short), dtype=subject.dtype), atol=1e-5, rtol=0)
    weights = {**dict(plain.named_parameters()), subject.recurrent: used}
    torch.testing.assert_close(subject(*data), subject(*data, module=plain, weights=weights))


@row("`torch.nn.utils.prune`")
def test_pruning_acts(subject: Subject) -> None:
    kept = torch.rand_like(getattr(subject.module, subject.recurrent)) > 0.5
    check_it_acts(
        subject,
        lambda module, name: prune.custom_from_mask(module, name, kept),
        lambda weight: weight * kept,
    )


@pytest.mark.parametrize(
    ("what", "call"),
    [
        pytest.param("reset_parameters", lambda layer: layer.reset_parameters(), id="reset"),
        pytest.param("get_weights", lambda layer: layer.get_weights(), id="get"),
        pytest.param("set_weights", lambda layer: layer.set_weights([]), id="set"),
        pytest.param("a constraint", lambda layer: layer.apply_constraints(), id="constraint"),
        pytest.param("a constraint", lambda layer: torch.optim.SGD(layer.parameters()).step(), id="optimizer"),
    ],
)
@pytest.mark.parametrize("tool", [parametrizations.weight_norm, prune.identity], ids=["weight-norm", "prune"])
def test_what_would_be_lost_in_a_weight_that_torch_makes_is_refused(tool: Any, what: str, call: Any) -> None:
    layer = nn.LSTM(UNITS, input_size=FEATURES, name="first", kernel_constraint="max_norm")
    tool(layer, "kernel")
    with pytest.raises(WeightsError) as error:
        call(layer)
    assert str(error.value).removeprefix("Parametrized") == (
        f"LSTM 'first': {what} needs plain weights, and torch makes 'kernel' from other parameters "
        "(parametrized or pruned); remove that first"
    )


def test_an_optimizer_of_other_weights_does_not_ask_about_constraints() -> None:
    layer = nn.LSTM(UNITS, input_size=FEATURES, kernel_constraint="max_norm")
    prune.identity(layer, "kernel")
    torch.optim.SGD([torch.nn.Parameter(torch.ones(1))]).step()


def test_a_regularizer_sees_the_weight_that_torch_makes() -> None:
    layer = nn.LSTM(UNITS, input_size=FEATURES, kernel_regularizer="l2")
    parametrize.register_parametrization(layer, "kernel", Doubled())
    torch.testing.assert_close(layer.losses, [0.01 * layer.kernel.square().sum()])


@row("averaged weights, `AveragedModel`")
def test_averaged_weights(subject: Subject) -> None:
    data, module = subject.data(), subject.module
    averaged = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(0.75))
    averaged.update_parameters(module)
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(1.0)
    averaged.update_parameters(module)

    want = subject(*data, weights={name: weight + 0.25 for name, weight in before.items()})
    torch.testing.assert_close(subject(*data, module=averaged), want)
    module.load_state_dict(averaged.module.state_dict())  # swapped in
    torch.testing.assert_close(subject(*data), want)


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    """A group of one process."""
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("one_process")
@row("`DistributedDataParallel(static_graph=True)`")
def test_distributed_data_parallel_with_a_static_graph(subject: Subject) -> None:
    data, module = subject.data(), subject.module
    parallel = DistributedDataParallel(copy.deepcopy(module), static_graph=True)
    want = gradients(subject(*data), list(module.parameters()))
    for _ in range(3):
        parallel.zero_grad()
        output = subject(*data, module=parallel)
        output.backward(torch.linspace(0.5, 1.5, output.numel(), dtype=output.dtype).view(output.shape))
        torch.testing.assert_close([output, *(weight.grad for weight in parallel.parameters())], want)


@row("`torch.save`, `torch.load(weights_only=True)`, also of a compiled module")
def test_weights_are_saved_and_loaded(subject: Subject) -> None:
    data, other = subject.data(), subject.make()
    for source, target in [(subject.module, other), (torch.compile(subject.module), torch.compile(subject.make()))]:
        file = io.BytesIO()
        torch.save(source.state_dict(), file)
        file.seek(0)
        target.load_state_dict(torch.load(file, weights_only=True))

        plain = getattr(target, "_orig_mod", target)
        assert torch.equal(subject(*data, module=plain), subject(*data))


class Collate:
    """Runs the layer on a batch; a loader's worker calls it."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def __call__(self, rows: list[tuple[Tensor, ...]]) -> Tensor:
        """The outputs of the rows, without a graph, which no process can send to another."""
        with torch.no_grad():
            return self.subject(*(torch.stack(tensors) for tensors in zip(*rows, strict=True)))


def check_in_workers(subject: Subject, start: str) -> None:
    """Checks that a worker of a loader, started in one way, computes what this process computes."""
    data = tuple(tensor.detach() for tensor in subject.data())
    rows = list(zip(*data, strict=True))
    options: dict[str, Any] = {"batch_size": 2, "num_workers": 1, "multiprocessing_context": start}

    got = list(DataLoader(rows, collate_fn=Collate(subject), **options))  # type: ignore[arg-type]

    want = [subject(*(tensor[first : first + 2] for tensor in data)) for first in (0, 2)]
    torch.testing.assert_close(got, want)


@row("workers that fork")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")
def test_workers_that_fork(subject: Subject) -> None:
    check_in_workers(subject, "fork")


@row("workers that spawn", None, slow)
def test_workers_that_spawn(subject: Subject) -> None:
    check_in_workers(subject, "spawn")
