"""Files that are damaged, or made to do harm: refused in words, in little time and memory, and nothing else is read."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from keras_cases import FILES, worst
from keras_refusals import refusal

import rnnspec

WHOLE = FILES / "k208-lstm_hs.h5"
ZIPPED = FILES / "tf212-lstm_hs.keras"
TEXT = FILES / "k224-bilstm.json"
WEIGHTS = FILES / "k224-bilstm_weights.h5"
KERNEL = "model_weights/lstm_1/lstm_1/kernel:0"


# HDF5


def changed(tmp_path: Path, change: Callable[[h5py.File], Any]) -> Path:
    """A copy of a whole model, changed."""
    path = tmp_path / "model.h5"
    shutil.copy(WHOLE, path)
    path.chmod(0o644)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def replaced(file: h5py.File, **dataset: Any) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, **dataset)


def with_link(link: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[KERNEL]
        file[KERNEL] = link

    return change


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((5, 24), "f4")
    layout[:] = h5py.VirtualSource(str(WEIGHTS), "x", (5, 24))
    del file[KERNEL]
    file.create_virtual_dataset(KERNEL, layout)


def external(file: h5py.File) -> None:
    replaced(file, shape=(5, 24), dtype="f4", external=[(str(TEXT), 0, 480)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            with_link(h5py.SoftLink("/model_weights/lstm_1/lstm_1/bias:0")),
            f"'{KERNEL}' is a soft link, which Keras never writes; links are not followed",
            id="soft-link",
        ),
        pytest.param(
            with_link(h5py.ExternalLink("/etc/passwd", "/")),
            f"'{KERNEL}' is an external link, which Keras never writes; links are not followed",
            id="external-link",
        ),
        pytest.param(
            external, f"the numbers of '{KERNEL}' lie in another file, which is not opened", id="external-data"
        ),
        pytest.param(virtual, f"the numbers of '{KERNEL}' lie in another file, which is not opened", id="virtual-data"),
        pytest.param(
            lambda file: replaced(file, shape=(10**7, 10**7), dtype="f4"),
            f"the arrays have far more numbers than the file has room for, at '{KERNEL}'",
            id="more-than-there-is",
        ),
        pytest.param(
            lambda file: replaced(file, shape=(5, 24), maxshape=(None, None), chunks=(30_000, 30_000), dtype="f4"),
            f"the arrays have far more numbers than the file has room for, at '{KERNEL}'",
            id="a-huge-piece",
        ),
        pytest.param(
            lambda file: replaced(file, shape=(5, 24), dtype="f4", chunks=(5, 24), compression="gzip"),
            f"'{KERNEL}' is packed by deflate, which Keras never does",
            id="packed",
        ),
        pytest.param(
            lambda file: file.__setitem__("model_weights/lstm_1/itself", file["model_weights"]),
            "'model_weights/lstm_1/itself' stands in the file under another name too, which Keras never writes",
            id="cycle",
        ),
        pytest.param(
            lambda file: file.__setitem__("twice", file[KERNEL]),
            "'twice' stands in the file under another name too, which Keras never writes",
            id="two-names",
        ),
        pytest.param(
            lambda file: replaced(file, data=h5py.Empty("f4")), f"the array '{KERNEL}' is empty", id="empty-array"
        ),
        pytest.param(
            lambda file: file.__setitem__("model_weights/more", np.dtype("f4")),
            "'model_weights/more' is neither a group nor an array",
            id="named-type",
        ),
        pytest.param(
            lambda file: file.attrs.modify("model_config", "{"),
            "the attribute model_config is no JSON text: Expecting property name enclosed in double quotes: line 1 "
            "column 2 (char 1)",
            id="config-cut-short",
        ),
        pytest.param(
            lambda file: file.attrs.modify("keras_version", "7.1"),
            "the version of Keras must be one from 1.0 to 3, such as '2.2.4', found '7.1'",
            id="unknown-version",
        ),
        pytest.param(
            lambda file: file.__delitem__("model_weights"), "the HDF5 file holds no weights of Keras", id="no-weights"
        ),
    ],
)
def test_an_hdf5_file_that_no_keras_writes_is_refused(
    tmp_path: Path, change: Callable[[h5py.File], Any], message: str
) -> None:
    assert refusal(changed(tmp_path, change)).partition("\n")[0] == f"model.h5: {message}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda file: replaced(file, data=np.ones((5, 24), "c8")),
            f"the array '{KERNEL}' has the dtype complex64, expected float16, float32 or float64",
            id="complex",
        ),
        pytest.param(
            lambda file: replaced(file, data=np.ones((5, 24), "i4")),
            f"the array '{KERNEL}' has the dtype int32, expected float16, float32 or float64",
            id="integers",
        ),
        pytest.param(
            lambda file: replaced(file, data=np.full((5, 24), b"x")),
            f"the array '{KERNEL}' has the dtype bytes8, expected float16, float32 or float64",
            id="texts",
        ),
        pytest.param(
            lambda file: file["model_weights/lstm_1"].attrs.__setitem__("weight_names", [b"lstm_1/kernel:0"] * 3),
            "the attribute weight_names of 'lstm_1' names an array twice",
            id="array-twice",
        ),
        pytest.param(
            lambda file: file["model_weights"].attrs.__setitem__("layer_names", [b"lstm_1"] * 3),
            "the attribute layer_names names a layer twice",
            id="layer-twice",
        ),
        pytest.param(
            lambda file: file.__delitem__(KERNEL),
            "the group 'lstm_1' has no array 'lstm_1/kernel:0', which weight_names names",
            id="missing-array",
        ),
    ],
)
def test_weights_that_are_no_weights_are_refused(
    tmp_path: Path, change: Callable[[h5py.File], Any], message: str
) -> None:
    found = refusal(changed(tmp_path, change), kind=rnnspec.WeightsError)

    assert found.partition("\n")[0] == f"model.h5: {message}"


def test_a_layer_that_is_far_larger_than_its_weights_is_never_built(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        config = file.attrs["model_config"]
        text = config if isinstance(config, str) else config.decode()
        file.attrs["model_config"] = text.replace('"units": 8', '"units": 1000000')

    assert refusal(changed(tmp_path, change), kind=rnnspec.WeightsError).splitlines()[0] == (
        "model.h5: LSTM 'lstm_1': the weight 'kernel' has shape (3, 4000000), it was given (3, 32)"
    )


def test_every_tensor_that_does_not_fit_is_named_with_both_shapes(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        replaced(file, data=np.ones((6, 24), "f4"))
        bias = "model_weights/lstm_1/lstm_1/bias:0"
        del file[bias]
        file[bias] = np.ones(23, "f4")

    lines = refusal(changed(tmp_path, change), kind=rnnspec.WeightsError).splitlines()

    assert lines == [
        "model.h5: LSTM 'lstm_1': the weight 'kernel' has shape (3, 32), it was given (6, 24)",
        "model.h5: LSTM 'lstm_1': the weight 'bias' has shape (32,), it was given (23,)",
    ]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    for source in (WHOLE, ZIPPED):
        path = tmp_path / source.name
        content = source.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        assert refusal(path).startswith(source.name)


# Zip archives


def packed(tmp_path: Path, change: Callable[[dict[str, bytes]], Any], **options: Any) -> Path:
    """A `.keras` file with changed entries."""
    with zipfile.ZipFile(ZIPPED) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda entries: entries.update({"../../evil.txt": b""}),
            "the archive has an entry '../../evil.txt', which leads out of it",
            id="traversal",
        ),
        pytest.param(
            lambda entries: entries.update({"/etc/evil": b""}),
            "the archive has an entry '/etc/evil', which leads out of it",
            id="absolute",
        ),
        pytest.param(
            lambda entries: entries.update({"C:\\evil": b""}),
            "the archive has an entry 'C:\\\\evil', which leads out of it",
            id="drive",
        ),
        pytest.param(
            lambda entries: entries.pop("model.weights.h5"),
            "the archive has no entry 'model.weights.h5'",
            id="no-weights",
        ),
        pytest.param(
            lambda entries: entries.update({"config.json": b"[]"}),
            "config.json holds no model: expected a mapping with class_name and config, found a list",
            id="config-is-a-list",
        ),
        pytest.param(
            lambda entries: entries.update({"model.weights.h5": b"junk"}),
            "/model.weights.h5: the HDF5 file cannot be read: Unable to synchronously open file (file signature not "
            "found)",
            id="weights-are-junk",
        ),
        pytest.param(
            lambda entries: entries.update({"config.json": b" " * 10_000_001}),
            "config.json has 10000001 bytes, at most 10000000 are read",
            id="config-bomb",
        ),
    ],
)
def test_an_archive_that_no_keras_writes_is_refused(
    tmp_path: Path, change: Callable[[dict[str, bytes]], Any], message: str
) -> None:
    found = refusal(packed(tmp_path, change, compression=zipfile.ZIP_DEFLATED)).partition("\n")[0]

    assert found == "model.keras" + (message if message[0] == "/" else f": {message}")


def test_an_archive_with_two_entries_of_one_name_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, dict)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")

    assert refusal(path).splitlines()[0] == "model.keras: the archive has two entries 'config.json'"


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_is_packed_otherwise_is_refused(tmp_path: Path, packing: int) -> None:
    assert refusal(packed(tmp_path, dict, compression=packing)).splitlines()[0] == (
        f"model.keras: 'config.json' is packed in a way ({packing}) in which Keras never packs"
    )


def test_an_archive_that_is_encrypted_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, dict)
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02") + 8
    path.write_bytes(content[:at] + b"\x01" + content[at + 1 :])

    assert refusal(path).splitlines()[0] == "model.keras: 'metadata.json' is encrypted"


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = packed(
        tmp_path, lambda entries: entries.update({"model.weights.h5": bytes(2**27)}), compression=zipfile.ZIP_DEFLATED
    )

    assert "bytes in the archive and 134217728 unpacked" in refusal(path)


def test_a_file_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    shutil.copy(ZIPPED, path)

    assert worst(rnnspec.from_keras(path, device="cpu"), "tf212-lstm_hs") <= 1


def test_a_size_that_torch_cannot_count_is_told_in_the_report(tmp_path: Path) -> None:
    text = (FILES / "k216-conv.json").read_text().replace('"strides": [2]', f'"strides": [{2**64}]')
    (tmp_path / "pool.json").write_text(text)

    model: Any = rnnspec.from_keras(tmp_path / "pool.json", FILES / "k216-conv_weights.h5", device="cpu")

    assert model.report.check.startswith("left out, an input of the shape (2, 8, 4) does not pass: ")
