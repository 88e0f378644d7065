"""The engine `cpu` beside threads, forks, workers and the end of the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rnnspec import nn
from rnnspec.engines.cpu import library
from rnnspec.engines.plan import use_engine

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(library.unavailable() is not None, reason="there is no C library")


@pytest.fixture
def two_threads() -> Iterator[None]:
    """torch's pool has two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def layers() -> list[nn.Recurrent]:
    """Eight layers, no two of one shape."""
    kinds = (nn.LSTM, nn.GRU, nn.SimpleRNN)
    return [kinds[i % 3](5 + 9 * i, input_size=3 + i, return_sequences=True, dtype=torch.float64) for i in range(8)]


def inputs() -> list[Tensor]:
    """An input for each of them."""
    return [torch.randn(9 + 7 * i, 20 - i, 3 + i, dtype=torch.float64) for i in range(8)]


def results(layer: nn.Recurrent, x: Tensor) -> list[Tensor]:
    """The output and all gradients of a training call, and the output of one without gradients."""
    output = layer(x)
    gradients = torch.autograd.grad(output.square().sum(), list(layer.parameters()))
    with torch.no_grad():
        return [output.detach(), *gradients, layer(x)]


def near(got: Tensor, want: Tensor) -> bool:
    """Whether two engines agree in float64."""
    return torch.allclose(got, want, rtol=1e-9, atol=1e-11)


def test_eight_python_threads_get_the_numbers_of_one(two_threads: None) -> None:
    pairs = list(zip(layers(), inputs(), strict=True))
    with use_engine("steps"):
        want = [results(*pair) for pair in pairs]
    wrong: list[int] = []

    def calls(number: int) -> None:
        for _ in range(5):
            for got, expected in zip(results(*pairs[number]), want[number], strict=True):
                if not near(got, expected):
                    wrong.append(number)
        finished.append(number)

    finished: list[int] = []
    threads = [threading.Thread(target=calls, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(finished) == list(range(8))
    assert wrong == []


def test_eight_python_threads_with_one_layer_get_the_numbers_of_one(two_threads: None) -> None:
    layer = nn.LSTM(33, input_size=7, return_sequences=True, dtype=torch.float64)
    xs = [torch.randn(1 + 9 * i, 30 - 3 * i, 7, dtype=torch.float64) for i in range(8)]
    with use_engine("steps"):
        want = [results(layer, x) for x in xs]

    def calls(number: int) -> bool:
        x = xs[number]
        stream = layer.streaming(len(x))
        chunks = torch.cat([stream(x[:, :2]), stream(x[:, 2:])], 1)
        return all(map(near, [chunks, *results(layer, x)], [want[number][0], *want[number]]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(calls, [*range(8)] * 5))


@pytest.mark.parametrize("batch", [1, 2, 5, 64, 130])
def test_the_number_of_threads_changes_nothing_but_rounding(batch: int, two_threads: None) -> None:
    layer = nn.LSTM(33, input_size=7, return_sequences=True, dtype=torch.float64)
    x = torch.randn(batch, 30, 7, dtype=torch.float64)
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        found.append(results(layer, x))
        for once, again in zip(found[-1], results(layer, x), strict=True):
            assert torch.equal(once, again)

    for other in found[1:]:
        for got, want in zip(other, found[0], strict=True):
            torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-11)


def run(tmp_path: Path, code: str) -> list[str]:
    """What a fresh interpreter prints that runs this code, with two threads."""
    script = tmp_path / "script.py"
    script.write_text(code, "utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_torch_tells_how_many_threads_run(tmp_path: Path) -> None:
    code = """
import os
import torch
from rnnspec import nn
layer, x = nn.LSTM(4, input_size=3), torch.randn(12, 5, 3)
with torch.no_grad():
    for threads in (1, 3):
        torch.set_num_threads(threads)
        before = len(os.listdir("/proc/self/task"))
        layer(x)
        print(threads, layer.plan(x).settings["threads"], len(os.listdir("/proc/self/task")) - before)
"""
    assert run(tmp_path, code) == ["1 1 0", "3 3 2"]


# No orthogonal matrix: after a fork torch's own QR waits for threads that are gone.
FORKS = """
import os
import torch
torch.set_num_threads(2)
BEFORE
def answer(seed, engine):
    from rnnspec import nn, use_engine
    torch.manual_seed(seed)
    layer = nn.LSTM(17, input_size=3, recurrent_initializer="glorot_uniform", dtype=torch.float64)
    x = torch.linspace(-1, 1, 8 * 20 * 3, dtype=torch.float64).reshape(8, 20, 3)
    with use_engine(engine):
        output = layer(x)
        gradient, = torch.autograd.grad(output.square().sum(), layer.recurrent_kernel)
    return float(output.sum()), float(gradient.abs().sum()), layer.plan(x).settings["threads"]

children = []
for seed in range(4):
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, repr(answer(seed, 'cpu')).encode())
        os._exit(0)
    children.append((child, read))
for seed, (child, read) in enumerate(children):
    status = os.waitpid(child, 0)[1]
    got, want = eval(os.read(read, 1000)), answer(seed, 'steps')
    near = [abs(a - b) <= 1e-9 * abs(b) for a, b in zip(got, want[:2])]
    print(status, all(near), got[2], want[2], flush=True)
os._exit(0)
"""

BESIDE_THREADS = """
import threading
from rnnspec import nn
started = threading.Barrier(5)
def calls(layer, x):
    started.wait()
    while True:
        with torch.no_grad():
            layer(x)
for units in (30, 40, 50, 60):
    layer, x = nn.LSTM(units, input_size=8), torch.randn(40, 2000, 8)
    threading.Thread(target=calls, args=(layer, x), daemon=True).start()
started.wait()
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    "before",
    [
        "from rnnspec import nn; nn.LSTM(9, input_size=3)(torch.randn(50, 9, 3))",
        "(torch.ones(600, 600).exp() + 1).sum()",
        BESIDE_THREADS,
    ],
    ids=["the sweep", "torch alone", "threads in calls"],
)
def test_four_forks_of_a_process_whose_threads_were_used_run_in_one_thread(before: str, tmp_path: Path) -> None:
    assert run(tmp_path, FORKS.replace("BEFORE", before)) == ["0 True 1 2"] * 4


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "forkserver", "spawn"])
def test_data_loaders_call_a_layer_in_their_workers(start: str, tmp_path: Path) -> None:
    code = f"""
import torch
from torch.utils.data import DataLoader
from rnnspec import nn
torch.manual_seed(0)
torch.set_num_threads(2)

class Encoded(torch.utils.data.Dataset):
    def __init__(self):
        self.layer = nn.GRU(9, input_size=3)
    def __len__(self):
        return 40
    def __getitem__(self, i):
        with torch.no_grad():
            return self.layer(torch.full((1, 50, 3), i / 40))[0]

class Collate:
    def __init__(self):
        self.layer = nn.LSTM(5, input_size=9)
    def __call__(self, rows):
        with torch.no_grad():
            return self.layer(torch.stack(rows)[None])

if __name__ == "__main__":
    data, collate = Encoded(), Collate()
    want = torch.cat(list(DataLoader(data, 10, collate_fn=collate)))
    loader = DataLoader(data, 10, collate_fn=collate, num_workers=2, multiprocessing_context={start!r})
    print(torch.allclose(torch.cat(list(loader)), want, atol=1e-6), data.layer.plan((1, 5, 3)).engine)
"""
    assert run(tmp_path, code) == ["True cpu"]


# One call that is longer than the end of the interpreter: a thread that comes back from any of torch's calls meanwhile
# is ended by Python inside C++, which aborts. Without gradients: beside a thread in `backward` it always does.
@pytest.mark.slow
def test_an_interpreter_ends_beside_a_thread_that_is_in_a_call(tmp_path: Path) -> None:
    code = """
import atexit, threading, time
import torch
from rnnspec import nn
layer, x = nn.LSTM(128, input_size=8), torch.randn(40, 60_000, 8)
started = threading.Event()
def call():
    with torch.no_grad():
        layer(x[:, :5])
        started.set()
        layer(x)
        print("ended")
atexit.register(lambda: print("at exit", layer(x[:, :5]).shape == (40, 128)))
threading.Thread(target=call, daemon=True).start()
started.wait()
time.sleep(0.2)
print("started")
"""
    assert run(tmp_path, code) == ["started", "at exit True"]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_calls_leave_no_memory_behind(tmp_path: Path) -> None:
    code = """
import re
import torch
from rnnspec import nn

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])

torch.set_num_threads(1)  # two threads on a busy machine wait for each other, ten thousand times
layers = [
    nn.LSTM(33, input_size=7, return_sequences=True),
    nn.GRU(16, input_size=7, dropout=0.2, recurrent_dropout=0.2, checkpoint_every=2),
    nn.SimpleRNN(5, input_size=7, return_sequences=True, go_backwards=True),
]
for calls in (1000, 10000):
    before = resident()
    for call in range(calls):
        layer, x = layers[call % 3], torch.ones(1 + call % 9, 4, 7)
        output = layer(x, mask=x[:, :, 0] > 0 if call % 4 else None)
        if call % 2:
            output.sum().backward()
        if not call % 10 and not layer.go_backwards:
            layer.streaming(len(x))(x)
print(resident() - before < 2000)
"""
    assert run(tmp_path, code) == ["True"]
