"""torch's functional transforms of recurrent layers with dropout, mask and initial state; torch.nn.LSTM beside."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import grad, jvp, stack_module_state, vmap
from transform_cases import Failure, Subject, gradients, row, weighted_sum

from rnnspec import nn

NO_BATCHING = Failure(
    RuntimeError, "Batching rule not implemented for aten::lstm.input", "no: it has no batching rule for `aten::lstm`"
)
NO_FORWARD_MODE = Failure(
    NotImplementedError,
    "Trying to use forward AD with mkldnn_rnn_layer that does not support it",
    "no: its kernel has no forward-mode derivative; float64 has",
)

ONE_BY_ONE = Failure(
    UserWarning,
    "performance drop because we have not yet implemented the batching rule for aten::mkldnn_rnn_layer",
    "yes, one sample after another, and torch warns of it",
)


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Subject:
    return Subject(request.param)


@row("`torch.func.functional_call`")
def test_functional_call_uses_the_given_weights(subject: Subject) -> None:
    data, other = subject.data(), subject.make()
    weights = dict(other.named_parameters())

    got = gradients(subject(*data, weights=weights), [*data, *weights.values()])

    torch.testing.assert_close(got, gradients(subject(*data, module=other), [*data, *other.parameters()]))


@row("`torch.func.vmap` over samples", NO_BATCHING)
def test_vmap_over_samples(subject: Subject) -> None:
    data = subject.data()

    def one(*sample: Tensor) -> Tensor:
        return subject(*(tensor.unsqueeze(0) for tensor in sample)).squeeze(0)

    got = vmap(one, randomness="same")(*data)

    torch.testing.assert_close(got, torch.stack([one(*sample) for sample in zip(*data, strict=True)]))


@pytest.mark.parametrize(("randomness", "masks"), [("same", 1), ("different", 8)])
def test_vmap_draws_one_dropout_mask_or_one_a_sample(randomness: str, masks: int) -> None:
    layer = nn.LSTM(16, input_size=2, dropout=0.5, recurrent_dropout=0.5)
    output = vmap(layer, randomness=randomness)(torch.randn(1, 1, 4, 2).expand(8, 1, 4, 2))
    assert len(output.unique(dim=0)) == masks


@row("`torch.func.vmap` over stacked weights", NO_BATCHING)
def test_vmap_over_stacked_weights(subject: Subject) -> None:
    data, ensemble = subject.data(), [subject.make() for _ in range(3)]
    weights, _ = stack_module_state(ensemble)

    got = vmap(lambda own: subject(*data, weights=own), randomness="same")(weights)

    torch.testing.assert_close(got, torch.stack([subject(*data, module=module) for module in ensemble]))


@row("`torch.func.jvp`, forward-mode derivatives", NO_FORWARD_MODE)
def test_forward_mode_agrees_with_reverse_mode(subject: Subject) -> None:
    """u . (J v) = (u . J) . v, with v in the input, the states and the weights."""
    names = [name for name, _ in subject.module.named_parameters()]
    data = (*subject.data(), *subject.module.parameters())
    given = len(data) - len(names)
    tangents = tuple(torch.randn_like(tensor) for tensor in data)

    def call(*values: Tensor) -> Tensor:
        return subject(*values[:given], weights=dict(zip(names, values[given:], strict=True)))

    output, tangent = jvp(call, data, tangents)

    torch.testing.assert_close(output, call(*data))
    _, *reverse = gradients(call(*data), data)
    want = sum((slope * v).sum() for slope, v in zip(reverse, tangents, strict=True))
    torch.testing.assert_close(weighted_sum(tangent), want)


@row("per-sample gradients, `vmap(grad(...))`", ONE_BY_ONE)
def test_per_sample_gradients(subject: Subject) -> None:
    data = tuple(tensor.detach() for tensor in subject.data())
    weights = dict(subject.module.named_parameters())

    def loss(weights: dict[str, Tensor], *sample: Tensor) -> Tensor:
        return weighted_sum(subject(*(tensor.unsqueeze(0) for tensor in sample), weights=weights))

    got = vmap(grad(loss), in_dims=(None, *[0] * len(data)), randomness="same")(weights, *data)

    for number, sample in enumerate(zip(*data, strict=True)):
        want = torch.autograd.grad(loss(weights, *sample), list(weights.values()))
        torch.testing.assert_close([slope[number] for slope in got.values()], list(want))


@row("`torch.autograd.gradcheck`")
def test_gradcheck(subject: Subject) -> None:
    subject = subject.double()
    assert torch.autograd.gradcheck(subject, subject.data(2, 4))


@row("double backward, `gradgradcheck`")
def test_double_backward(subject: Subject) -> None:
    subject = subject.double()
    assert torch.autograd.gradgradcheck(subject, subject.data(1, 3))


@row("`torch.use_deterministic_algorithms(True)`")
def test_deterministic_algorithms(subject: Subject) -> None:
    data = subject.data()
    assert torch.are_deterministic_algorithms_enabled()

    once, again = ([tensor.clone() for tensor in gradients(subject(*data), data)] for _ in range(2))

    assert all(torch.equal(first, second) for first, second in zip(once, again, strict=True))
