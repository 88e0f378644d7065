"""Damage to files of Keras, drawn at random: in the bytes, in the model's description, and among its weights."""

from __future__ import annotations

import copy
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from keras_cases import MODELS, sources

Case = tuple[Path, Path | None]
"""A file and, where it holds none, the file with its weights."""

KINDS = ("bytes", "description", "weights")
CASES: list[Case] = [pair for name in MODELS for pair in sources(name)]
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 7, 2**31, -(2**63), 2**64, 10**30, 10**400, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), "", " ", ".", "a.b", "../x", "forward", "weight", "__class__", "\x00", "\ud800",
    "x" * 10_000, "hard_sigmoid", "softmax", "LSTM", "Lambda", "Sequential", "InputLayer", "lstm_1", "float16",
    "bfloat16", "mixed_float16", "channels_first",
    [], {}, [None], [[]], [[[]]], [None, None, 3], [1, 2], ["a", 0, 0], {"class_name": "Dense"}, {"class_name": []},
    {"class_name": "LSTM", "config": {}}, {"class_name": "Lambda", "config": {"function": ["4wEAAAAA", None, None]}},
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
    {"module": "os", "class_name": "system", "config": "true", "registered_name": "os>system"},
]  # fmt: skip
"""What takes the place of a value."""
NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63, 2**64 - 1]
"""What takes the place of lengths and addresses."""


# Bytes


def damaged_bytes(content: bytes, chance: random.Random) -> bytes:
    """A copy with one to twenty places changed."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 20))):
        at = chance.randrange(len(data))
        kind = chance.randrange(10)
        if kind < 4:
            data[at] ^= 1 << chance.randrange(8)
        elif kind < 8:
            data[at] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        elif kind < 9:
            size = chance.choice((2, 4, 8))
            new = (chance.choice(NUMBERS) % 256**size).to_bytes(size, "little")
            data[at : at + size] = new[: len(data) - at]
        else:
            other, size = chance.randrange(len(data)), chance.choice((8, 64, 512))
            piece = data[other : other + size]
            data[at : at + len(piece)] = piece
            del data[len(content) :]
    return bytes(data)


# The description of a model


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in data with every key or index in it."""
    waiting = [data]
    while waiting:
        inside = waiting.pop()
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        for key in keys:
            yield inside, key
            if isinstance(inside[key], (dict, list)):
                waiting.append(inside[key])


def damaged_data(data: Any, chance: random.Random) -> Any:
    """A copy with one to four values or keys changed."""
    data = copy.deepcopy(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        found = list(places(data))
        if not found:
            break
        inside, key = chance.choice(found)
        kind = chance.randrange(10)
        if kind < 5:
            inside[key] = copy.deepcopy(chance.choice(VALUES))
        elif kind < 7:
            del inside[key]
        elif kind < 8:
            other, name = chance.choice(found)
            inside[key] = copy.deepcopy(other[name])
        elif isinstance(inside, dict):
            name = chance.choice([item for _, item in found if isinstance(item, str)])
            inside[name] = inside.pop(key)
        else:
            inside.insert(chance.randrange(len(inside) + 1), copy.deepcopy(inside[key]))
    return data


# The weights


def damaged_weights(file: h5py.File, chance: random.Random) -> None:
    """Changes one to three groups, arrays or attributes of an open file."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        nodes: list[Any] = [file]
        file.visititems(lambda _, item: nodes.append(item))  # noqa: B023
        item = chance.choice(nodes)
        change = chance.choice((_attribute, _attribute, _array, _gone, _moved, _copied))
        change(file, item, chance)


def _attribute(file: h5py.File, item: Any, chance: random.Random) -> None:
    name = chance.choice([*item.attrs, "layer_names", "weight_names", "keras_version", "backend", "dtype"])
    values = [
        b"", b"\xff\xfe", "1.2.2", "9", b"[]", 3, float("nan"), 1j, True, [b"a"], ["lstm"], np.zeros(0),
        np.zeros((2, 2)), np.array([b"a", b"a"]), [b"../a"], [b"/"], h5py.Empty("f4"), h5py.Empty("S3"),
        np.zeros(3, [("a", "i4")]),
        file.ref, np.void(b"xyz"), "bfloat16", [b"layer_names"] * 500,
    ]  # fmt: skip
    value = chance.choice(values)
    if name in item.attrs:
        del item.attrs[name]
    if chance.random() < 0.7:
        dtype = h5py.ref_dtype if isinstance(value, h5py.Reference) else None
        item.attrs.create(name, value, dtype=dtype)


def _array(file: h5py.File, item: Any, chance: random.Random) -> None:
    name = f"{item.name.rstrip('/')}/new" if isinstance(item, h5py.Group) else item.name
    if name in file:
        del file[name]
    shape = chance.choice([(), (0,), (1,), (3,), (0, 4), (5, 24), (3, 1, 2, 2), (1,) * 30, (2**40,), (2**32, 2**31)])
    dtype = chance.choice(["f4", "f8", "f2", ">f4", "i4", "u2", "c8", "S3", "V7", "?", "M", [("a", "f4")], "O", "vlen"])
    if dtype in ("O", "vlen"):
        dtype = h5py.string_dtype() if dtype == "O" else h5py.vlen_dtype(np.float32)
    file.create_dataset(name, shape=shape, dtype="i8" if dtype == "M" else dtype)


def _gone(file: h5py.File, item: Any, chance: random.Random) -> None:
    if item.name != "/":
        del file[item.name]


def _moved(file: h5py.File, item: Any, chance: random.Random) -> None:
    new = (
        f"{item.parent.name.rstrip('/')}/{chance.choice(('lstm', 'gru_7', 'vars', 'layers', 'cell', '0', 'x y', 'ü'))}"
    )
    if item.name != "/" and new not in file:
        file.move(item.name, new)


def _copied(file: h5py.File, item: Any, chance: random.Random) -> None:
    new = f"/{chance.choice(('layers', 'model_weights', 'lstm_9', 'cell'))}"
    if new not in file:
        file[new] = chance.choice((item, h5py.SoftLink("/"), h5py.ExternalLink("other.h5", "/")))


# One case


def damaged(number: int, folder: Path) -> Case:
    """Writes the files of a case: a real model's, with damage to their bytes, their description or their weights.

    Args:
        number: The case's number; the same gives the same files.
        folder: Where they are written.

    Returns:
        The file and that of the weights.
    """
    chance = random.Random(number)
    source, its_weights = chance.choice(CASES)
    path = Path(shutil.copyfile(source, folder / source.name))
    weights = its_weights and Path(shutil.copyfile(its_weights, folder / its_weights.name))
    kind = KINDS[number % len(KINDS)]
    if kind == "bytes":
        hit = path if weights is None or chance.random() < 0.3 else weights
        hit.write_bytes(damaged_bytes(hit.read_bytes(), chance))
    elif kind == "description":
        _with_config(path, lambda data: damaged_data(data, chance))
    else:
        _with_weights(weights or path, lambda file: damaged_weights(file, chance))
    return path, weights


def _with_config(path: Path, change: Callable[[Any], Any]) -> None:
    if path.suffix == ".json":
        path.write_text(json.dumps(change(json.loads(path.read_bytes()))))
    elif path.suffix == ".keras":
        _rezip(path, "config.json", lambda content: json.dumps(change(json.loads(content))).encode())
    else:
        with h5py.File(path, "r+") as file:
            data = change(json.loads(file.attrs["model_config"]))
            file.attrs["model_config"] = json.dumps(data)


def _with_weights(path: Path, change: Callable[[h5py.File], Any]) -> None:
    if path.suffix != ".keras":
        with h5py.File(path, "r+") as file:
            change(file)
        return

    def inside(content: bytes) -> bytes:
        part = path.with_suffix(".part")
        part.write_bytes(content)
        _with_weights(part, change)
        return part.read_bytes()

    _rezip(path, "model.weights.h5", inside)


def _rezip(path: Path, entry: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries[entry] = change(entries[entry])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
