"""Streams: what they refuse, and threads, processes and the end of the interpreter."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec import nn
from rnnspec.engines.cpu import library
from rnnspec.errors import ConfigError, DTypeError, MaskError, ShapeError, StateError, WeightsError

needs_library = pytest.mark.skipif(library.unavailable() is not None, reason="no C library")

X = torch.zeros(2, 3)
REFUSALS: dict[str, tuple[Callable[[], Any], Any, str]] = {
    "backwards": (
        lambda: nn.LSTM(5, input_size=3, go_backwards=True).streaming(2), StateError,
        "LSTM goes backwards: it begins with the last step, which a stream does not know",
    ),
    "both directions": (
        lambda: nn.Bidirectional(nn.GRU(5, input_size=3)).streaming(2), StateError,
        "Bidirectional(GRU) has a half that begins with the last step, which a stream does not know",
    ),
    "no weights": (
        lambda: nn.LSTM(5).streaming(2), WeightsError,
        "LSTM has no weights yet: give its input_shape, build it, or call it once",
    ),
    "no rows": (
        lambda: nn.LSTM(5, input_size=3).streaming(0), ConfigError, "batch must be a positive integer, found 0",
    ),
    "initial state": (
        lambda: nn.LSTM(5, input_size=3).streaming(2, [torch.zeros(2, 5)]), StateError,
        "LSTM has 2 states (h, c), initial_state has 1",
    ),
    "batch": (
        lambda: nn.LSTM(5, input_size=3).streaming(2)(torch.zeros(1, 3)), ShapeError,
        "a stream of LSTM takes a step of shape (2, 3) or a chunk of shape (2, time, 3), found (1, 3)",
    ),
    "time major": (
        lambda: nn.LSTM(5, input_size=3, time_major=True).streaming(2)(torch.zeros(2, 4, 3)), ShapeError,
        "a stream of LSTM takes a step of shape (2, 3) or a chunk of shape (time, 2, 3), found (2, 4, 3)",
    ),
    "dtype": (
        lambda: nn.LSTM(5, input_size=3).streaming(2)(X.double()), DTypeError,
        "a stream of LSTM takes torch.float32 on cpu, found torch.float64 on cpu",
    ),
    "device": (
        lambda: nn.LSTM(5, input_size=3).streaming(2)(X.to("meta")), DTypeError,
        "a stream of LSTM takes torch.float32 on cpu, found torch.float32 on meta",
    ),
    "no tensor": (
        lambda: nn.LSTM(5, input_size=3).streaming(2)([X]), DTypeError, "a stream of LSTM takes tensors, found list",
    ),
    "mask": (
        lambda: nn.LSTM(5, input_size=3).streaming(2)(X, torch.ones(2, 1)), MaskError,
        "LSTM expects a mask of shape (batch) = (2,), found (2, 1)",
    ),
    "out": (
        lambda: nn.LSTM(5, input_size=3).streaming(2)(X, out=torch.zeros(5, 2).t()), ShapeError,
        "a stream of LSTM writes torch.float32 of shape (2, 5) on cpu, without gaps in the last axis; out is "
        "torch.float32 of shape (2, 5) on cpu, strides (1, 2)",
    ),
    "reset": (
        lambda: nn.LSTM(5, input_size=3).streaming(2).reset(torch.zeros(2, 5)), StateError,
        "LSTM has 2 states (h, c), reset has 1",
    ),
    "rows": (
        lambda: nn.LSTM(5, input_size=3).streaming(2).reset(rows=[True, False]), StateError,
        "LSTM: rows must be a boolean tensor of shape (2,), found [True, False]",
    ),
    "a copy": (
        lambda: copy.deepcopy(nn.LSTM(5, input_size=3).streaming(2)), StateError,
        "a stream of LSTM cannot be copied or pickled: make another one of the layer",
    ),
    "a pickle": (
        lambda: pickle.dumps(nn.LSTM(5, input_size=3).streaming(2)), StateError,
        "a stream of LSTM cannot be copied or pickled: make another one of the layer",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_stream_cannot_do_is_said(name: str) -> None:
    act, kind, message = REFUSALS[name]
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == message


def test_another_thread_that_calls_at_the_same_time_meets_an_error() -> None:
    errors: list[str] = []

    def meanwhile() -> None:
        try:
            stream(torch.zeros(2, 3))
        except StateError as error:
            errors.append(str(error))

    def activation(x: Tensor) -> Tensor:
        if not errors:
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        return x

    stream = nn.SimpleRNN(5, activation, input_size=3).streaming(2)
    stream(torch.zeros(2, 3))
    assert errors == ["another thread is using this stream of SimpleRNN: every thread needs its own"]


@needs_library
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")
def test_a_forked_process_goes_on_with_its_own_copy() -> None:
    layer = nn.LSTM(5, input_size=3, return_sequences=True)
    x = torch.randn(2, 7, 3)
    want = layer(x).detach()
    stream = layer.streaming(2)
    stream(x[:, :4])
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    child = fork.Process(target=lambda: queue.put(stream(x[:, 4:]).tolist()))
    child.start()
    got = torch.tensor(queue.get())
    child.join()
    torch.testing.assert_close(got, want[:, 4:])
    torch.testing.assert_close(stream(x[:, 4:]), want[:, 4:])


# One call that is longer than the end of the interpreter: a thread that comes back meanwhile from any of torch's calls,
# `torch.nn.LSTMCell` too, is ended by Python inside C++, which aborts.
@needs_library
def test_an_interpreter_ends_beside_a_stream_that_is_in_a_call() -> None:
    code = """
import threading, time, torch
from rnnspec import nn
stream = nn.LSTM(64, input_size=8).streaming(1)
started = threading.Event()
def call():
    stream(torch.zeros(1, 2, 8))
    chunk = torch.zeros(1, 2_000_000, 8)
    started.set()
    stream(chunk)
    print("ended")
threading.Thread(target=call, daemon=True).start()
started.wait()
time.sleep(0.2)
print("started")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")
