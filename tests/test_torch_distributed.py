"""A layer that two processes train together, each with half of the batch, under `DistributedDataParallel`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from rnnspec import nn
from rnnspec.engines.cpu import library

pytestmark = pytest.mark.skipif(library.unavailable() is not None, reason="there is no C library")

PROCESSES, ROWS, TIME = 2, 6, 20


def layer_and_data() -> tuple[nn.LSTM, Tensor, Tensor, Tensor]:
    """The same in every process: a layer, inputs, a mask with padding, and what the outputs should be."""
    torch.manual_seed(0)
    layer = nn.LSTM(17, input_size=5, return_sequences=True, dtype=torch.float64)
    mask = torch.arange(TIME) < torch.randint(1, TIME + 1, (ROWS, 1))
    return layer, torch.randn(ROWS, TIME, 5).double(), mask, torch.randn(ROWS, TIME, 17).double()


def training(module: torch.nn.Module, x: Tensor, mask: Tensor, target: Tensor) -> list[Tensor]:
    """The gradients of three steps of training, and the weights after them."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    found = []
    for _ in range(3):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(module(x, mask=mask), target).backward()
        found += [weight.grad.clone() for weight in module.parameters() if weight.grad is not None]
        optimizer.step()
    return found + [weight.detach() for weight in module.parameters()]


def train_a_share(rank: int, folder: str) -> None:
    """What each process runs: it trains on its rows and saves what it found, with the engine's name."""
    torch.set_num_threads(1)
    store = distributed.FileStore(f"{folder}/store", PROCESSES)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=PROCESSES)
    layer, *whole = layer_and_data()
    x, mask, target = (given[rank::PROCESSES] for given in whole)
    found = training(DistributedDataParallel(layer), x, mask, target)
    torch.save((layer.plan(x, mask).engine, found), f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_have_the_gradients_of_one_with_the_whole_batch(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(train_a_share, (str(tmp_path),), PROCESSES)  # type: ignore[no-untyped-call]

    want = training(*layer_and_data())
    for rank in range(PROCESSES):
        engine, found = torch.load(tmp_path / f"{rank}.pt")
        assert engine == "cpu"
        torch.testing.assert_close(found, want, rtol=1e-12, atol=1e-13)
