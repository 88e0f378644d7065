"""Reads the golden cases of both sets into one form; golden/*/README.md tell where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parent / "golden"
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
WEIGHTS = ("kernel", "recurrent_kernel", "bias")
Arrays = dict[str, np.ndarray]


@dataclass
class Call:
    """One call of a layer: what goes in and what must come out. Gradients are of the cotangents' loss."""

    x: np.ndarray
    mask: np.ndarray | None
    initial: list[np.ndarray]
    reset: list[np.ndarray] | None  # None: no reset before this call; []: to zeros
    input_masks: list[np.ndarray] | None
    recurrent_masks: list[np.ndarray] | None
    output: np.ndarray
    states: list[np.ndarray]
    carried: list[np.ndarray]
    cotangent: np.ndarray
    state_cotangents: list[np.ndarray]
    gradients: Arrays = field(default_factory=dict)  # x, initial0, ..., and the weights where known for each call


@dataclass
class Case:
    """One golden case."""

    layer: str
    config: dict[str, Any]
    batch: int
    timesteps: int
    features: int
    training: bool
    dtype: str
    weights: list[np.ndarray]
    calls: list[Call]
    weight_gradients: Arrays  # over all calls together; empty where they are known for each call

    def config_in(self, dtype: str) -> dict[str, Any]:
        """The layer as it would stand in a YAML file."""
        fixed = {"batch_input_shape": [self.batch, self.timesteps, self.features]}
        return {self.layer: {**self.config, **fixed, "dtype": dtype}}


def numbered(arrays: Any, pattern: str) -> list[np.ndarray]:
    """All arrays `pattern.format(0)`, `pattern.format(1)`, ... that there are."""
    found: list[np.ndarray] = []
    while pattern.format(len(found)) in arrays:
        found.append(arrays[pattern.format(len(found))])
    return found


def float64_cases() -> Iterator[tuple[str, Path]]:
    """Ids and files of the float64 set."""
    yield from ((path.stem, path) for path in sorted((GOLDEN / "float64").glob("*.npz")))


def tensorflow_cases() -> Iterator[tuple[str, Path]]:
    """Ids and files of the tensorflow set."""
    paths = sorted((GOLDEN / "tensorflow").glob("*.json"))
    yield from ((path.stem, path) for path in paths if path.stem != "aux")


def split_masks(masks: list[np.ndarray], layer: str, config: dict[str, Any]) -> dict[str, list[np.ndarray] | None]:
    """Recorded masks in Keras's order: implementation 0 draws the recurrent ones first, 1 and 2 the input's."""
    order = ["input_masks", "recurrent_masks"]
    if config.get("implementation", 0) == 0:
        order.reverse()
    rates = {"input_masks": "dropout", "recurrent_masks": "recurrent_dropout"}
    split: dict[str, list[np.ndarray] | None] = dict.fromkeys(order)
    for name in order:
        if masks and config.get(rates[name], 0.0) > 0.0:
            split[name], masks = masks[: GATES[layer]], masks[GATES[layer] :]
    assert not masks
    return split


def read_float64(path: Path) -> Case:
    """One case of golden/float64."""
    arrays = np.load(path)
    meta = json.loads(str(arrays["meta"]))
    calls = []
    for number, x in enumerate(numbered(arrays, "x{}")):
        initial = numbered(arrays, "initial{}") if number == 0 else []
        states = numbered(arrays, f"state{number}_{{}}")
        zeros = [np.zeros_like(state) for state in states]
        cotangents = [arrays.get(f"state_cotangent{number}_{index}", zeros[index]) for index in range(len(states))]
        gradients = {f"initial{index}": arrays[f"grad_initial{index}"] for index in range(len(initial))}
        calls.append(
            Call(
                x=x,
                mask=arrays.get("mask"),
                initial=initial,
                reset=None,
                **split_masks(numbered(arrays, "dropout_mask{}"), meta["layer"], meta["config"]),
                output=arrays[f"out{number}"],
                states=states,
                carried=[],
                cotangent=arrays[f"cotangent{number}"],
                state_cotangents=cotangents,
                gradients={"x": arrays[f"grad_x{number}"], **gradients},
            )
        )
    weights = [arrays[name] for name in WEIGHTS if name in arrays]
    return Case(
        meta["layer"], meta["config"], meta["batch"], meta["timesteps"], meta["input_dim"], meta["training"], "float64",
        weights, calls, {name: arrays[f"grad_{name}"] for name in WEIGHTS if name in arrays},
    )  # fmt: skip


def read_tensorflow(path: Path) -> Case:
    """One case of golden/tensorflow."""
    meta = json.loads(path.read_text())
    arrays = np.load(path.with_suffix(".npz"))
    used = [name for name in WEIGHTS if f"w_{name}" in arrays]
    calls = []
    for number in range(meta["n_batches"]):
        reset = meta["reset_before"].get(str(number))
        initial = numbered(arrays, f"init_{number}_{{}}")
        gradients = {name: arrays[f"gw_{name}_{number}"] for name in used}
        gradients |= {f"initial{index}": arrays[f"ginit_{number}_{index}"] for index in range(len(initial))}
        calls.append(
            Call(
                x=arrays[f"x_{number}"],
                mask=arrays.get(f"mask_{number}"),
                initial=initial,
                reset=None if reset is None else numbered(arrays, f"reset_{number}_{{}}"),
                input_masks=numbered(arrays, f"dp_{number}_{{}}") or None,
                recurrent_masks=numbered(arrays, f"rdp_{number}_{{}}") or None,
                output=arrays[f"y_{number}"],
                states=numbered(arrays, f"s_{number}_{{}}"),
                carried=numbered(arrays, f"carry_{number}_{{}}"),
                cotangent=arrays[f"R_y_{number}"],
                state_cotangents=numbered(arrays, f"R_s_{number}_{{}}"),
                gradients={"x": arrays[f"gx_{number}"], **gradients},
            )
        )
    shape = meta["shape"]
    return Case(
        meta["layer"], meta["config"], shape["batch"], shape["timesteps"], shape["input_dim"], meta["training"],
        meta["dtype"], [arrays[f"w_{name}"] for name in used], calls, {},
    )  # fmt: skip
