"""Files of Keras that were made to do harm: to grow in memory, to take long, to reach other files, to run code."""

from __future__ import annotations

import base64
import json
import marshal
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from keras_cases import FILES

WHOLE = FILES / "k208-lstm_hs.h5"
ZIPPED = FILES / "tf212-lstm_hs.keras"
WEIGHTS = FILES / "k224-bilstm_weights.h5"
KERNEL = "model_weights/lstm_1/lstm_1/kernel:0"
SECRET = "secret.h5"
PWNED = "pwned"

Made = tuple[Path, Path | None]
HOSTILE: dict[str, Callable[[Path], Made]] = {}
"""By name what writes a hostile file into a folder, where `secret.h5` is another file."""


def hostile(make: Callable[[Path], Made]) -> Callable[[Path], Made]:
    """Enters a file."""
    HOSTILE[make.__name__] = make
    return make


# HDF5


def whole(folder: Path, change: Callable[[h5py.File], Any]) -> Made:
    """A real model with a change."""
    path = Path(shutil.copyfile(WHOLE, folder / "model.h5"))
    with h5py.File(path, "r+") as file:
        change(file)
    return path, None


@hostile
def array_of_packed_zeros(folder: Path) -> Made:
    """480 bytes by their shape, and a quarter of a gigabyte by what is packed."""

    def change(file: h5py.File) -> None:
        del file[KERNEL]
        array = file.create_dataset(KERNEL, (5, 24), "f4", chunks=(5, 24), compression="gzip")
        packer, zeros = zlib.compressobj(1), bytes(2**24)
        array.id.write_direct_chunk((0, 0), b"".join([packer.compress(zeros) for _ in range(16)] + [packer.flush()]))

    return whole(folder, change)


@hostile
def text_meant_often(folder: Path) -> Made:
    """Three thousand names, all of them the same megabyte."""
    count, text = 3000, "a" * 2**20
    path = folder / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs.create("layer_names", [text, *"b" * count], dtype=h5py.string_dtype())
    content = bytearray(path.read_bytes())
    at = -1
    while content[(place := int.from_bytes(content[at + 4 : at + 12], "little")) : place + 4] != b"GCOL" or at < 0:
        at = content.index(struct.pack("<I", len(text)), at + 1)
    content[at : at + 16 * (count + 1)] = bytes(content[at : at + 16]) * (count + 1)
    path.write_bytes(content)
    with h5py.File(path) as file:
        assert file.attrs.get_id("layer_names").shape == (count + 1,)
    return path, None


@hostile
def packed_list_of_groups(folder: Path) -> Made:
    """The library would unpack the list of a group's members to any size."""
    path = folder / "model.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(50):
            file.create_group(f"layers/{number}")
    content = bytearray(path.read_bytes())
    content[content.index(b"FRHP") + 7] = 16  # the length of its filters
    path.write_bytes(content)
    return path, None


@hostile
def text_without_end(folder: Path) -> Made:
    """Free space of no size among the texts: the library would pass it for ever."""
    path, _ = whole(folder, dict)
    content = bytearray(path.read_bytes())
    text = content.index(b"GCOL") + 16
    content[text : text + 16] = bytes(16)
    path.write_bytes(content)
    return path, None


@hostile
def list_of_no_texts(folder: Path) -> Made:
    """A list of a kind that there is not, where a text should be: the library would crash."""
    path, _ = whole(folder, dict)
    content = path.read_bytes()
    kind = content.index(b"keras_version\0") + 17  # a class, then which of its kinds
    path.write_bytes(content[:kind] + b"\x03" + content[kind + 1 :])
    return path, None


@hostile
def narrow_sizes(folder: Path) -> Made:
    """Sizes of four bytes, where those of h5py have eight."""
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_sizes(4, 4)
    path = folder / "model.h5"
    h5py.File(h5py.h5f.create(bytes(path), fcpl=creation)).close()
    return path, None


@hostile
def external_link(folder: Path) -> Made:
    """A group that is in another file."""
    return whole(folder, lambda file: file.__setitem__("model_weights/more", h5py.ExternalLink(folder / SECRET, "/")))


@hostile
def external_numbers(folder: Path) -> Made:
    """An array whose numbers are in another file."""

    def change(file: h5py.File) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, (5, 24), "f4", external=[(folder / SECRET, 0, 480)])

    return whole(folder, change)


@hostile
def virtual_numbers(folder: Path) -> Made:
    """An array that is put together of arrays in another file."""

    def change(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((5, 24), "f4")
        layout[:] = h5py.VirtualSource(folder / SECRET, "x", (5, 24))
        del file[KERNEL]
        file.create_virtual_dataset(KERNEL, layout)

    return whole(folder, change)


@hostile
def group_in_itself(folder: Path) -> Made:
    """Two ways from each group to itself: 2 ** 100 of them are a hundred deep."""

    def change(file: h5py.File) -> None:
        for name in ("a", "b"):
            file[f"model_weights/{name}"] = file["model_weights"]

    return whole(folder, change)


# Zip


def zipped(folder: Path, entries: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    """A `.keras` file with other or more entries."""
    with zipfile.ZipFile(ZIPPED) as archive:
        entries = {**{name: archive.read(name) for name in archive.namelist()}, **entries}
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w", packing, compresslevel=1) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def claimed(path: Path, entry: str, offset: int, value: int) -> Path:
    """Changes a size that the list of an archive claims for an entry."""
    content = bytearray(path.read_bytes())
    at = content.rindex(entry.encode()) - 46
    content[at + offset : at + offset + 4] = value.to_bytes(4, "little")
    path.write_bytes(content)
    return path


@hostile
def zeros_in_an_archive(folder: Path) -> Made:
    """A quarter of a gigabyte of zeros."""
    return zipped(folder, {"model.weights.h5": bytes(2**28)}), None


@hostile
def zeros_that_claim_to_be_few(folder: Path) -> Made:
    """A quarter of a gigabyte of zeros, a thousand bytes by the list."""
    return claimed(zipped(folder, {"config.json": bytes(2**28)}), "config.json", 24, 1000), None


@hostile
def zeros_that_claim_to_be_packed_little(folder: Path) -> Made:
    """A quarter of a gigabyte of zeros, packed to as much by the list."""
    path = zipped(folder, {"model.weights.h5": bytes(2**28)})
    return claimed(path, "model.weights.h5", 20, 2**30), None


@hostile
def long_list_of_entries(folder: Path) -> Made:
    """A list of 300000 entries, which would take ten times their size."""
    path = zipped(folder, {})
    content = path.read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    entry = content[start : content.index(b"PK\x01\x02", start + 1)]
    listed = entry * 300_000
    tail = bytearray(content[end:])
    tail[12:16] = len(listed).to_bytes(4, "little")
    path.write_bytes(content[:start] + listed + tail)
    return path, None


@hostile
def archive_in_an_archive(folder: Path) -> Made:
    """Where the weights should be, a bomb in a bomb."""
    return zipped(folder, {"model.weights.h5": zipped(folder, {"config.json": bytes(2**27)}).read_bytes()}), None


@hostile
def link_in_an_archive(folder: Path) -> Made:
    """Where the configuration should be, a symbolic link to another file."""
    path = zipped(folder, {"config.json": str(folder / SECRET).encode()})
    return claimed(path, "config.json", 38, 0o120777 << 16), None


# Descriptions


def described(folder: Path, *layers: dict[str, Any]) -> Made:
    """A whole model of layers without weights."""
    path = folder / "model.h5"
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.4.0"
        file.create_group("model_weights").attrs["layer_names"] = np.zeros(0, "S1")
    return path, None


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    """A layer."""
    return {"class_name": class_name, "config": {"name": class_name.lower(), **config}}


INPUT = layer("InputLayer", batch_input_shape=[None, 6, 3])
TRAP = f"open({PWNED!r}, 'w').close()"
CODE = base64.b64encode(marshal.dumps(compile(TRAP, "<lambda>", "exec"))).decode()


@hostile
def code_of_keras_2(folder: Path) -> Made:
    """A Lambda layer with code that writes a file."""
    return described(folder, INPUT, layer("Lambda", function=[CODE, None, None], function_type="lambda", module="os"))


@hostile
def code_of_keras_3(folder: Path) -> Made:
    """The same in the words of Keras 3."""
    code = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
    return described(folder, INPUT, layer("Lambda", function=code))


@hostile
def class_of_another_module(folder: Path) -> Made:
    """A layer that is a function of the system's, for readers that import what a file names."""
    named = {"module": "os", "class_name": "system", "registered_name": "os>system", "config": {"command": "true"}}
    return described(folder, INPUT, named)


@hostile
def objects_of_another_module(folder: Path) -> Made:
    """The same for an activation, an initializer and a dtype."""
    named = {"module": "subprocess", "class_name": "Popen", "registered_name": "Popen", "config": {"args": "true"}}
    arguments = {"kernel_initializer": named, "kernel_regularizer": named, "dtype": named, "activation": named}
    return described(folder, INPUT, layer("Dense", units=3, **arguments))


@hostile
def operation_by_name(folder: Path) -> Made:
    """What tf.keras 2.4 writes for a function between layers."""
    return described(folder, INPUT, layer("TFOpLambda", function="os.system"))


@hostile
def repeated_a_billion_times(folder: Path) -> Made:
    """A layer without weights, whose output has no room anywhere."""
    return described(folder, layer("InputLayer", batch_input_shape=[None, 3]), layer("RepeatVector", n=10**9))


@hostile
def a_billion_steps(folder: Path) -> Made:
    """An input that has no room anywhere."""
    return described(folder, layer("Masking", mask_value=0.0, batch_input_shape=[None, 10**9, 3]))


@hostile
def padded_and_repeated(folder: Path) -> Made:
    """Small numbers that grow layer by layer."""
    longer = [layer("UpSampling1D", size=1000) for number in range(4)]
    for number, one in enumerate(longer):
        one["config"]["name"] = f"up_{number}"
    return described(folder, INPUT, layer("ZeroPadding1D", padding=1000), *longer)


@hostile
def models_called_twice(folder: Path) -> Made:
    """Nineteen models inside each other, each called twice in the next: 2 ** 19 calls."""
    wired: dict[str, Any] = layer("Activation", activation="tanh") | {"name": "activation"}
    given = INPUT | {"name": "inputlayer", "inbound_nodes": []}
    for number in range(19):
        name = wired["name"]
        wired["inbound_nodes"] = [[["inputlayer", 0, 0, {}]], [[name, 0, 0, {}]]]
        ends = {"input_layers": [["inputlayer", 0, 0]], "output_layers": [[name, 1, 0]]}
        wired = layer("Functional", layers=[given, wired], **ends) | {"name": f"model_{number}"}
        wired["config"]["name"] = wired["name"]
    return described(folder, INPUT, wired)


@hostile
def million_empty_lists(folder: Path) -> Made:
    """A text of ten megabytes that needs thirty times as much."""
    path = folder / "model.json"
    path.write_text('{"class_name": "Sequential", "config": {"layers": [' + ",".join(["[]"] * 3_300_000) + "]}}")
    return path, WEIGHTS


@hostile
def objects_of_python(folder: Path) -> Made:
    """YAML with a tag that would call a function."""
    path = folder / "model.yaml"
    path.write_text(f"class_name: !!python/object/apply:os.system ['touch {PWNED}']\nconfig: []\n")
    return path, WEIGHTS


@hostile
def aliases_of_aliases(folder: Path) -> Made:
    """YAML of a few lines that stands for 8 ** 20 values."""
    lines = [
        "a: &a [x, x]",
        *(f"{new}: &{new} [{', '.join(['*' + old] * 8)}]" for old, new in zip("abcdefghi", "bcdefghij", strict=True)),
    ]
    path = folder / "model.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path, WEIGHTS
