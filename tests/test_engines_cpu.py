"""The engine `cpu` against the step loop: values and gradients over everything that it takes."""

from __future__ import annotations

import copy
import pickle
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, strategies as st
from instruction_sets import limited_to
from torch import Tensor

from rnnspec import nn
from rnnspec.engines.cells import GRU, LSTM, Cell, SimpleRNN
from rnnspec.engines.cpu import Cpu, launcher, library
from rnnspec.engines.cpu.options import ACTIVATIONS
from rnnspec.engines.plan import use_engine
from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.engines.steps import Steps
from rnnspec.errors import EngineError

CELLS = {
    "SimpleRNN": SimpleRNN,
    "LSTM": LSTM,
    "GRU": GRU,
    "GRU reset after": lambda *activations: GRU(*activations, reset_after=True),
}
SIZES = (1, 7, 15, 16, 17, 31, 32, 33, 64, 65, 100, 128, 257)
TOLERANCE = {torch.float32: (5e-6, 5e-5), torch.float64: (1e-12, 1e-12)}


@pytest.fixture(autouse=True, params=library.INSTRUCTION_SETS)
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test runs with every instruction set of the machine."""
    with limited_to(request.param):
        yield request.param


def drawn(shape: tuple[int, ...], dtype: torch.dtype, scale: float = 1.0) -> Tensor:
    return (torch.randn(shape) * scale).to(dtype).requires_grad_()


def masks_of(count: int, shape: tuple[int, int], dtype: torch.dtype) -> Tensor | None:
    return (torch.rand(count, *shape) > 0.3).to(dtype) / 0.7 if count else None


def mixed_mask(batch: int, timesteps: int) -> Tensor:
    """Rows without a valid step, with padding to the right, and with steps masked anywhere."""
    mask = torch.rand(batch, timesteps) > 0.4
    mask[::2] = torch.arange(timesteps) < torch.randint(timesteps + 1, (batch, 1))[::2]
    mask[:1] = False
    return mask


def example(
    cell: Cell,
    dtype: torch.dtype = torch.float64,
    *,
    sizes: tuple[int, int, int, int] = (5, 6, 3, 17),
    masked: bool = False,
    bias: bool = True,
    input_masks: int = 0,
    recurrent_masks: int = 0,
    **options: Any,
) -> tuple[Request, Tensors]:
    """A request with data; `sizes` are batch, timesteps, features and units, mask counts 0, 1 or 2 for one a gate."""
    batch, timesteps, features, units = sizes
    torch.manual_seed(0)
    gates = len(cell.gates)
    per = (0, 1, gates)
    mask = mixed_mask(batch, timesteps) if masked else None
    columns = gates * units
    tensors = Tensors(
        x=drawn((batch, timesteps, features), dtype),
        states=tuple(drawn((batch, units), dtype) for _ in cell.states),
        kernel=drawn((features, columns), dtype, features**-0.5),
        recurrent_kernel=drawn((units, columns), dtype, 0.8 * units**-0.5),
        bias=drawn((2, columns) if cell.recurrent_bias else (columns,), dtype) if bias else None,
        mask=mask,
        input_masks=masks_of(per[input_masks], (batch, features), dtype),
        recurrent_masks=masks_of(per[recurrent_masks], (batch, units), dtype),
    )
    request = Request(
        cell, units, features, batch, timesteps, dtype, torch.device("cpu"), masked=masked, **options
    )  # fmt: skip
    return request, tensors


def learned(tensors: Tensors) -> list[Tensor]:
    found = [tensors.x, *tensors.states, tensors.kernel, tensors.recurrent_kernel, tensors.bias]
    return [tensor for tensor in found if tensor is not None]


def gradients(result: Result, tensors: Tensors, **options: Any) -> list[Tensor]:
    torch.manual_seed(1)
    loss = sum((out * torch.randn_like(out)).sum() for out in (result.output, *result.states))
    return list(
        torch.autograd.grad(loss, learned(tensors), allow_unused=True, materialize_grads=True, **options)  # type: ignore[arg-type]
    )


def assert_near(got: Tensor, want: Tensor, tolerance: float) -> None:
    assert got.shape == want.shape
    if want.numel():
        error = ((got - want).abs().max() / want.abs().max().clamp(min=1)).item()
        assert error <= tolerance


def assert_agrees(request: Request, tensors: Tensors) -> None:
    """Values and all gradients agree with the step loop, and so does the pass that keeps nothing for gradients."""
    assert Cpu().refuses(request) is None
    ours, theirs = Cpu().run(request, tensors), Steps().run(request, tensors)
    forward, backward = TOLERANCE[request.dtype]
    for got, want in zip((ours.output, *ours.states), (theirs.output, *theirs.states), strict=True):
        assert_near(got, want, forward)
    for got, want in zip(gradients(ours, tensors), gradients(theirs, tensors), strict=True):
        assert_near(got, want, backward)
    with torch.no_grad():
        assert torch.equal(Cpu().run(request, tensors).output, ours.output)


@pytest.mark.parametrize("name", CELLS)
@given(
    dtype=st.sampled_from(list(TOLERANCE)),
    sizes=st.tuples(
        st.sampled_from((0, 1, 2, 5, 13, 64, 65)),
        st.sampled_from((0, 1, 2, 5, 30)),
        st.sampled_from(SIZES),
        st.sampled_from(SIZES),
    ),
    gates=st.sampled_from(("hard_sigmoid_keras3", "sigmoid", "softsign")),
    options=st.fixed_dictionaries(
        {
            "masked": st.booleans(),
            "bias": st.booleans(),
            "input_masks": st.integers(0, 2),
            "recurrent_masks": st.integers(0, 2),
            "go_backwards": st.booleans(),
            "return_sequences": st.booleans(),
            "masked_start": st.sampled_from(("state", "zeros")),
        }
    ),
)
def test_values_and_gradients_are_those_of_the_loop(
    name: str, dtype: torch.dtype, sizes: tuple[int, int, int, int], gates: str, options: dict[str, Any]
) -> None:
    cell = CELLS[name]() if name == "SimpleRNN" else CELLS[name]("tanh", gates)
    assert_agrees(*example(cell, dtype, sizes=sizes, **options))


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("units", [16, 100, 257])
def test_long_sequences_are_those_of_the_loop(name: str, units: int) -> None:
    assert_agrees(*example(CELLS[name](), torch.float64, sizes=(3, 500, 17, units), masked=True, recurrent_masks=2))


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM"])
@pytest.mark.parametrize("masked_start", ["state", "zeros"])
@pytest.mark.parametrize("go_backwards", [False, True], ids=["end early", "start late"])
def test_padded_rows_run_where_they_must_with_the_same_values_and_gradients(
    go_backwards: bool, name: str, masked_start: str
) -> None:
    for return_sequences in (False, True):
        options = {"masked_start": masked_start, "return_sequences": return_sequences, "recurrent_masks": 2}
        options["go_backwards"] = go_backwards
        assert_agrees(*example(CELLS[name](), torch.float64, sizes=(150, 40, 5, 20), masked=True, **options))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", CELLS)
def test_every_activation_is_that_of_the_loop(name: str, activation: str) -> None:
    bounded = activation if activation in ("hard_sigmoid", "sigmoid", "softsign", "tanh") else "hard_sigmoid"
    cell = CELLS[name](activation) if name == "SimpleRNN" else CELLS[name](activation, bounded)
    assert_agrees(*example(cell))


@pytest.mark.parametrize("go_backwards", [False, True])
def test_what_stands_at_a_masked_step_never_matters(go_backwards: bool) -> None:
    request, tensors = example(LSTM(), sizes=(9, 40, 3, 17), masked=True, go_backwards=go_backwards)
    assert tensors.mask is not None
    want = Cpu().run(request, tensors)
    with torch.no_grad():
        tensors.x[~tensors.mask] = float("nan")
    got = Cpu().run(request, tensors)
    assert torch.equal(got.output, want.output)
    assert all(gradient.isfinite().all() for gradient in gradients(got, tensors))


def test_a_nan_at_a_valid_step_stays_one() -> None:
    request, tensors = example(LSTM())
    with torch.no_grad():
        tensors.x[1, 2] = float("nan")
    output = Cpu().run(request, tensors).states[0]
    assert output[1].isnan().all()
    assert output[[0, 2, 3, 4]].isfinite().all()


def test_a_slice_of_another_tensor_needs_no_copy_and_gets_its_own_gradient() -> None:
    layer = nn.LSTM(17, input_size=3, return_sequences=True, dtype=torch.float64)
    whole = torch.randn(6, 5, 9, dtype=torch.float64, requires_grad=True)
    x = whole[:, :, 2:5].transpose(0, 1)
    want = torch.autograd.grad(layer(x.contiguous()).square().sum(), whole)[0]
    got = torch.autograd.grad(layer(x).square().sum(), whole)[0]
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("name", CELLS)
def test_a_gradient_can_be_differentiated_again(name: str) -> None:
    request, tensors = example(CELLS[name](), sizes=(2, 3, 2, 3))
    pairs = []
    for engine in (Cpu(), Steps()):
        first = gradients(engine.run(request, tensors), tensors, create_graph=True)
        penalty = sum(gradient.square().sum() for gradient in first)
        pairs.append(torch.autograd.grad(penalty, learned(tensors), allow_unused=True, materialize_grads=True))
    for got, want in zip(*pairs, strict=True):
        assert_near(got, want, 1e-11)


def test_a_layer_in_a_row_with_itself_has_right_gradients_that_can_be_differentiated_again() -> None:
    layer = nn.LSTM(3, input_size=3, return_sequences=True, dtype=torch.float64)
    x = torch.randn(2, 4, 3, dtype=torch.float64)
    with use_engine("steps"):
        want = torch.autograd.grad(layer(layer(x)).square().sum(), list(layer.parameters()))
    got = torch.autograd.grad(layer(layer(x)).square().sum(), list(layer.parameters()), create_graph=True)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("count", [1, 2], ids=["shared", "per gate"])
def test_dropout_masks_have_gradients(count: int) -> None:
    request, tensors = example(GRU(), input_masks=count, recurrent_masks=count)
    masks = [mask.requires_grad_() for mask in (tensors.input_masks, tensors.recurrent_masks) if mask is not None]
    inputs = [*learned(tensors), *masks]
    got, want = (torch.autograd.grad(e.run(request, tensors).output.sum(), inputs) for e in (Cpu(), Steps()))
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("every", [1, 2, 4, 100])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_kept_states_alone_give_the_same_gradients(name: str, go_backwards: bool, every: int) -> None:
    request, tensors = example(CELLS[name](), masked=True, recurrent_masks=2, input_masks=2, go_backwards=go_backwards)
    want = gradients(Cpu().run(request, tensors), tensors)
    few = replace(request, checkpoint_every=every)
    for got, expected in zip(gradients(Cpu().run(few, tensors), tensors), want, strict=True):
        torch.testing.assert_close(got, expected)


def test_copies_pickles_and_functional_calls_run_on_it() -> None:
    layer = nn.GRU(17, input_size=3)
    x = torch.randn(2, 5, 3)
    assert layer.plan(x).engine == "cpu"
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.plan(x) == layer.plan(x)
        assert torch.equal(twin(x), layer(x))
    weights = {name: value * 2 for name, value in layer.named_parameters()}
    with use_engine("steps"):
        want = torch.func.functional_call(layer, weights, (x,))
    torch.testing.assert_close(torch.func.functional_call(layer, weights, (x,)), want)


def test_threads_that_call_at_once_get_the_right_numbers() -> None:
    layers = [nn.LSTM(17, input_size=3, dtype=torch.float64) for _ in range(8)]
    x = torch.randn(9, 20, 3, dtype=torch.float64)
    want = [layer(x) for layer in layers]
    wrong: list[int] = []

    def calls(number: int) -> None:
        wrong.extend(number for _ in range(20) if not torch.equal(layers[number](x), want[number]))

    threads = [threading.Thread(target=calls, args=(number,)) for number in range(len(layers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_launcher_fills_every_field_of_the_header() -> None:
    header = Path(library.__file__).with_name("src") / "arguments.h"
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
    body = text[text.index("typedef struct {") + len("typedef struct {") : text.index("} Arguments;")]
    assert len(body.replace(";", ",").strip().strip(",").split(",")) == launcher.FIELDS


def test_a_plan_tells_instruction_set_and_threads(instruction_set: str) -> None:
    settings = nn.LSTM(3, input_size=2).plan((4, 5, 2)).settings
    assert settings == {"instruction_set": instruction_set, "threads": torch.get_num_threads()}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"activation": "softmax"}, "softmax is not pointwise"),
        ({"activation": torch.sin}, "it does not know the activation sin"),
        ({"dtype": torch.bfloat16}, "it knows float32 and float64 alone, not torch.bfloat16"),
        ({"device": "meta"}, "the call runs on meta"),
    ],
    ids=["softmax", "a function", "bfloat16", "meta"],
)
def test_what_it_cannot_run_is_refused_in_words(changes: dict[str, Any], reason: str) -> None:
    layer = nn.LSTM(3, input_size=2, **changes)
    assert f"not cpu, because {reason}" in layer.plan((4, 5, 2)).reasons
    with use_engine("cpu"), pytest.raises(EngineError) as error:
        layer.plan((4, 5, 2))
    assert str(error.value) == f"the engine 'cpu' cannot run this call: {reason}"


def test_transforms_are_refused_in_words() -> None:
    layer, seen = nn.LSTM(3, input_size=2), []

    def call(x: Tensor) -> Tensor:
        seen.extend(layer.plan(x).reasons)
        return layer(x)

    x = torch.randn(2, 5, 2)
    torch.func.vmap(call)(x[None])
    with torch.autograd.forward_ad.dual_level():
        call(x)
    assert [reason for reason in seen if "not cpu" in reason] == [
        "not cpu, because a transform of torch.func is active",
        "not cpu, because forward-mode differentiation is active",
    ]


def test_without_the_library_the_loop_runs_and_the_plan_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    missing, reason = library._open(Path("none.so"))
    assert missing is None
    assert reason == "its C library is not there: when rnnspec was installed, there was no C compiler, or it failed"
    monkeypatch.setattr(library, "_library", missing)
    monkeypatch.setattr(library, "_reason", reason)
    layer, x = nn.LSTM(3, input_size=2), torch.randn(4, 5, 2)
    assert layer.plan(x).engine == "steps"
    assert f"not cpu, because {reason}" in layer.plan(x).reasons
    assert layer(x).shape == (4, 3)
    with pytest.raises(EngineError) as error:
        library.load()
    assert str(error.value) == f"the engine 'cpu' cannot run, because {reason}"


def test_a_library_that_does_not_load_is_refused_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_text("nothing")
    assert str(library._open(broken)[1]).startswith("its C library does not load: ")


def test_an_unknown_instruction_set_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(library.VARIABLE, "avx3")
    library.instruction_set.cache_clear()
    with pytest.raises(EngineError) as error:
        library.instruction_set()
    message = "RNNSPEC_CPU must be one of portable, avx2, avx512, found 'avx3'"
    assert str(error.value) == f"{message}\n  hint: did you mean 'avx2'?"
