"""Every recurrent layer compiled and exported, with dropout, mask and initial state; torch.nn.LSTM beside.

Compiling takes most of the time, so each row does no more of it than it must: one cell runs in Inductor, the others in
what stands before it, and one model of all three is compiled ahead of time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import Unsupported, UserError
from torch._inductor import config as inductor
from torch.export import Dim, ExportedProgram
from transform_cases import FEATURES, UNITS, Failure, Subject, gradients, needs_a_compiler, row

from rnnspec import nn, use_engine

LENGTHS = (7, 13, 11, 5, 30, 12, 2, 100, 9, 3, 64, 33)
ALL_THREE = "all three"
compiled, slow = pytest.mark.compiled, pytest.mark.slow
both_engines = pytest.mark.parametrize("engine", ["cpu", "scan"])


class AllThree(torch.nn.Module):
    """A recurrent layer of each kind, one after another: with a mask and states, with neither, with a mask."""

    def __init__(self) -> None:
        super().__init__()
        options = {"return_sequences": True, "dropout": 0.3, "recurrent_dropout": 0.3}
        self.lstm = nn.LSTM(UNITS, input_size=FEATURES, **options)
        self.gru = nn.GRU(UNITS, input_size=UNITS, go_backwards=True, **options)
        self.simple_rnn = nn.SimpleRNN(UNITS, input_size=UNITS, masked_start="zeros", **options)

    def forward(self, x: Tensor, mask: Tensor, initial_state: list[Tensor]) -> Tensor:
        """The outputs of the last layer."""
        x = self.lstm(x, mask=mask, initial_state=initial_state)
        return self.simple_rnn(self.gru(x), mask=mask.flip(1))


class ModelSubject(Subject):
    """That model in place of an LSTM: it takes the same."""

    def __init__(self) -> None:
        super().__init__("LSTM", torch.float32)

    def make(self) -> Any:
        """The model."""
        return AllThree()


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Subject:
    return ModelSubject() if request.param == ALL_THREE else Subject(request.param)


@pytest.fixture(autouse=True)
def _compiled_anew() -> Iterator[None]:
    """One process, and torch's own random numbers: those of Inductor give other dropout masks."""
    torch._dynamo.reset()
    with inductor.patch(compile_threads=1, fallback_random=True):
        yield


NOT_TRACED = Failure(Unsupported, "Dynamo does not support RNN, GRU, or LSTM", "no: Dynamo does not support it")
ONE_LENGTH = Failure(UserError, "Constraints violated (time)", "no: every length needs an export of its own")


@needs_a_compiler
@row(
    "`torch.compile(fullgraph=True)`, 12 lengths and batches, with all gradients",
    NOT_TRACED,
    compiled,
    slow,
    both_engines,
)
def test_one_graph_serves_every_length(subject: Subject, engine: str) -> None:
    """A SimpleRNN is compiled with torch's defaults: sizes are constants in the first call, free from the second."""
    backend = "inductor" if subject.kind == "LSTM" else "aot_eager"
    dynamic = None if subject.kind == "SimpleRNN" else True
    subject.module.implementation = 2
    module = torch.compile(subject.module, fullgraph=True, backend=backend, dynamic=dynamic)

    for number, length in enumerate(LENGTHS):
        stance = torch.compiler.set_stance("fail_on_recompile" if number > 1 else "default")
        with stance, use_engine(engine):
            data = subject.data(5 + number, length)
            inputs = [*data, *subject.module.parameters()]
            got = gradients(subject(*data, module=module), inputs)
        torch.testing.assert_close(got, gradients(subject(*data), inputs))

    x, options = subject.arguments(*data)
    with use_engine(engine):
        assert not torch.equal(module(*x, **options), module(*x, **options))  # dropout masks are drawn anew


def exported(subject: Subject, engine: str) -> ExportedProgram:
    """The layer in evaluation mode, exported with a free batch and free time."""
    subject.module.eval()
    batch, time = Dim("batch", min=1, max=4096), Dim("time", min=1, max=512)
    arguments, options = subject.arguments(*(tensor.detach() for tensor in subject.data()))
    states = len(subject.data()) - 1
    shapes: Any = {"x": {0: batch, 1: time}, "mask": {0: batch, 1: time}, "initial_state": [{0: batch}] * states}
    if not subject.ours:
        shapes = {"input": {0: batch, 1: time}, "hx": ({1: batch}, {1: batch})}
    with torch.no_grad(), use_engine(engine):
        return torch.export.export(subject.module, arguments, options, dynamic_shapes=shapes)


FREE = "with a free batch and free time"
torchs_own = pytest.mark.filterwarnings(
    "ignore:The tensor attributes self._flat_weights:UserWarning", "ignore:.*LeafSpec:FutureWarning"
)


@row(f"`torch.export` {FREE}, run at lengths from 1 to 512", ONE_LENGTH, compiled, slow, both_engines, torchs_own)
def test_an_exported_layer_runs_at_every_length(subject: Subject, engine: str) -> None:
    module = exported(subject, engine).module()
    for number, length in enumerate((1, 2, 3, 5, 16, 63, 64, 65, 255, 256, 500, 511, 512)):
        data = tuple(tensor.detach() for tensor in subject.data(1 + number % 4, length))
        torch.testing.assert_close(subject(*data, module=module), subject(*data))


@needs_a_compiler
@row(
    f"AOTInductor {FREE}, a model of all three layers",
    ONE_LENGTH,
    compiled,
    slow,
    both_engines,
    torchs_own,
    kinds=[ALL_THREE],
)
def test_a_model_compiled_ahead_of_time_runs_at_every_length(subject: Subject, engine: str, tmp_path: Path) -> None:
    package = torch._inductor.aoti_compile_and_package(
        exported(subject, engine), package_path=str(tmp_path / "model.pt2"), inductor_configs={"inplace_buffers": False}
    )
    module = torch._inductor.aoti_load_package(package)
    for number, length in enumerate((1, 2, 3, 64, 511, 512)):
        data = tuple(tensor.detach() for tensor in subject.data(1 + number % 4, length))
        torch.testing.assert_close(subject(*data, module=module), subject(*data))
