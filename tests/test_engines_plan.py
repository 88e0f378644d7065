"""The plan: one loop over the engines, reasons in words, and the switch that forces one."""

from __future__ import annotations

import threading

import pytest
import torch

from rnnspec import nn
from rnnspec.engines import plan as planning
from rnnspec.engines.plan import Plan, use_engine
from rnnspec.engines.request import Request
from rnnspec.engines.steps import Steps
from rnnspec.errors import EngineError, ShapeError


class Picky(Steps):
    """An engine that refuses masks."""

    name = "picky"
    strength = "it is fast"

    def refuses(self, request: Request) -> str | None:
        return "it takes no masks" if request.masked else None


@pytest.fixture
def two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "ENGINES", (Picky(), Steps()))


@pytest.fixture
def layer() -> nn.LSTM:
    return nn.LSTM(3, input_size=2)


def test_every_refusal_has_its_reason() -> None:
    layer = nn.LSTM(3, activation="softmax", input_size=2)
    want = Plan(
        "steps",
        reasons=(
            "steps, because it runs every cell on every device",
            "not cpu, because softmax is not pointwise",
            "not scan, because the call is neither compiled nor exported",
        ),
    )
    assert layer.plan(torch.zeros(4, 5, 2)) == want
    assert layer.plan((None, None, 2), mask=torch.ones(4, 5)) == want


@pytest.mark.usefixtures("two_engines")
def test_the_first_engine_that_does_not_refuse_is_chosen_and_says_why(layer: nn.LSTM) -> None:
    assert layer.plan((4, 5, 2)) == Plan("picky", reasons=("picky, because it is fast",))
    assert layer.plan((4, 5, 2), mask=True) == Plan(
        "steps", reasons=("steps, because it runs every cell on every device", "not picky, because it takes no masks")
    )


@pytest.mark.usefixtures("two_engines")
def test_use_engine_forces_an_engine_and_ends_with_its_block(layer: nn.LSTM) -> None:
    with use_engine("steps"):
        assert layer.plan((4, 5, 2)) == Plan("steps", reasons=("steps, because use_engine asks for it",))
        with use_engine("picky"):
            assert layer.plan((4, 5, 2)).engine == "picky"
        assert layer.plan((4, 5, 2)).engine == "steps"
    assert layer.plan((4, 5, 2)).engine == "picky"


@pytest.mark.usefixtures("two_engines")
def test_a_forced_engine_that_cannot_run_the_call_is_an_error(layer: nn.LSTM) -> None:
    with use_engine("picky"), pytest.raises(EngineError) as error:
        layer(torch.zeros(1, 2, 2), mask=torch.ones(1, 2))
    assert str(error.value) == "the engine 'picky' cannot run this call: it takes no masks"


def test_an_unknown_engine_is_an_error() -> None:
    with pytest.raises(EngineError) as error, use_engine("step"):
        pass
    assert str(error.value) == "unknown engine 'step', expected one of cpu, scan, steps\n  hint: did you mean 'steps'?"


def test_no_engine_at_all_is_an_error(layer: nn.LSTM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "ENGINES", (Picky(),))
    with pytest.raises(EngineError) as error:
        layer.plan((1, 2, 2), mask=True)
    assert str(error.value) == "no engine can run this call: not picky, because it takes no masks"


@pytest.mark.usefixtures("two_engines")
def test_use_engine_ends_after_an_error_and_holds_for_its_own_thread_alone(layer: nn.LSTM) -> None:
    engines: list[str] = []
    thread = threading.Thread(target=lambda: engines.append(layer.plan((1, 2, 2)).engine))

    def fail_in_the_block() -> None:
        with use_engine("steps"):
            thread.start()
            thread.join()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_the_block()

    assert engines == ["picky"]
    assert layer.plan((1, 2, 2)).engine == "picky"


def test_a_plan_needs_the_features_and_three_entries(layer: nn.LSTM) -> None:
    with pytest.raises(ShapeError) as error:
        layer.plan((4, 5, None))
    assert str(error.value) == "LSTM: expected a known number of features, found (4, 5, None)"
    with pytest.raises(ShapeError) as error:
        layer.plan((4, 5))
    assert str(error.value) == "LSTM: expected an input of rank 3, (batch, time, features), found (4, 5)"


def test_a_request_describes_the_call_in_the_layers_present_mode() -> None:
    layer = nn.GRU(3, input_size=2, dropout=0.1, recurrent_dropout=0.2, go_backwards=True, unroll=True)
    request = layer.request((4, 5, 2), True)
    assert (request.batch, request.timesteps, request.features, request.units) == (4, 5, 2, 3)
    assert (request.input_dropout, request.recurrent_dropout) == ("per gate", "per gate")
    assert (request.masked, request.go_backwards, request.masked_start) == (True, True, "zeros")
    layer.eval()
    assert layer.request((4, 5, 2), False).input_dropout == "none"
    shared = nn.LSTM(3, input_size=2, recurrent_dropout=0.2, implementation=2).request((4, 5, 2), False)
    assert (shared.input_dropout, shared.recurrent_dropout, shared.masked_start) == ("none", "shared", "state")
