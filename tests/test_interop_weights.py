"""Weights in safetensors files: what is written, what comes back, and what is refused."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import rnnspec
from rnnspec import nn
from rnnspec.errors import WeightsError


def model(units: int = 3, name: str = "dense") -> nn.Sequential:
    layers = [nn.LSTM(units, input_size=2, name="lstm", return_sequences=True), nn.Dense(2, name=name)]
    made = nn.Sequential(layers)
    made.build((None, None, 2))
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rnnspec.save_weights(model(), tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def header_of(path: Path) -> dict[str, Any]:
    """The JSON at the start of a safetensors file, after its length."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    found: dict[str, Any] = json.loads(content[8 : 8 + length])
    return found


def write(path: Path, header: dict[str, Any], numbers: bytes = b"") -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)


class TestSaving:
    def test_the_file_has_the_names_and_numbers_of_the_state_dict(self, tmp_path: Path) -> None:
        made = model()

        rnnspec.save_weights(made, tmp_path / "a.safetensors")

        found, state = load_file(tmp_path / "a.safetensors"), made.state_dict()
        assert sorted(found) == sorted(state) == [
            "dense.bias", "dense.kernel", "lstm.bias", "lstm.kernel", "lstm.recurrent_kernel",
        ]  # fmt: skip
        assert all(torch.equal(found[name], state[name]) for name in state)
        assert header_of(tmp_path / "a.safetensors")["__metadata__"] == {"format": "pt"}

    def test_moving_averages_are_among_them(self, tmp_path: Path) -> None:
        layer = nn.BatchNormalization(input_shape=(None, 2))
        layer(torch.randn(4, 3, 2))
        again = nn.BatchNormalization(input_shape=(None, 2))

        rnnspec.save_weights(layer, tmp_path / "a.safetensors")
        rnnspec.load_weights(again, tmp_path / "a.safetensors")

        assert torch.equal(again.moving_mean, layer.moving_mean)
        assert layer.moving_mean.abs().min() > 0

    def test_tensors_that_share_their_memory_are_written_each(self, tmp_path: Path) -> None:
        one = torch.nn.Linear(2, 2)
        tied = torch.nn.Sequential(one, one)

        rnnspec.save_weights(tied, tmp_path / "a.safetensors")
        again = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
        rnnspec.load_weights(again, tmp_path / "a.safetensors")

        assert torch.equal(again[0].weight, one.weight)
        assert torch.equal(again[1].weight, one.weight)

    def test_a_weight_that_is_a_view_is_written(self, tmp_path: Path) -> None:
        layer = torch.nn.Linear(2, 3, bias=False)
        layer.weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3).T)

        rnnspec.save_weights(layer, tmp_path / "a.safetensors")

        assert load_file(tmp_path / "a.safetensors")["weight"].tolist() == [[0, 3], [1, 4], [2, 5]]

    def test_states_of_stateful_layers_are_no_weights(self, tmp_path: Path) -> None:
        layer = nn.LSTM(3, stateful=True, batch_input_shape=(2, None, 2))
        layer(torch.randn(2, 3, 2))

        rnnspec.save_weights(layer, tmp_path / "a.safetensors")

        assert sorted(load_file(tmp_path / "a.safetensors")) == ["bias", "kernel", "recurrent_kernel"]

    def test_an_old_file_is_replaced_and_nothing_is_left_beside(self, file: Path) -> None:
        old = file.read_bytes()

        rnnspec.save_weights(model(units=4), file)

        assert file.read_bytes() != old
        assert os.listdir(file.parent) == ["a.safetensors"]

    def test_where_nothing_can_be_written_the_old_file_stays(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*paths: object) -> None:
            raise OSError(28, "No space left on device")

        old = file.read_bytes()
        monkeypatch.setattr(os, "replace", full)

        with pytest.raises(OSError, match="No space left"):
            rnnspec.save_weights(model(units=4), file)

        assert file.read_bytes() == old
        assert os.listdir(file.parent) == ["a.safetensors"]

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: nn.LSTM(3), "LSTM has no weights yet: give its input_shape, build it, or call it once"),
            (
                lambda: torch.nn.LazyLinear(3, bias=False),
                "the model has no weight 'weight' yet: build it, or call it once",
            ),
            (
                lambda: Extra(),
                "the model keeps '_extra_state' in its state_dict, which is no tensor: "
                "a safetensors file holds tensors alone",
            ),
        ],
        ids=["not-built", "torchs-lazy", "extra-state"],
    )
    def test_a_model_without_tensors_is_refused(
        self, tmp_path: Path, make: Callable[[], torch.nn.Module], message: str
    ) -> None:
        with pytest.raises(WeightsError) as error:
            rnnspec.save_weights(make(), tmp_path / "a.safetensors")

        assert str(error.value) == message
        assert os.listdir(tmp_path) == []


class Extra(torch.nn.Module):
    def get_extra_state(self) -> Any:
        return {"numbers": 3}


class TestLoading:
    def test_a_model_gets_all_weights(self, file: Path) -> None:
        made, state = model(), load_file(file)

        rnnspec.load_weights(made, file)

        assert all(torch.equal(value, state[name]) for name, value in made.state_dict().items())

    def test_the_parameters_stay_the_same_objects(self, file: Path) -> None:
        """An optimizer that was made before goes on."""
        made = model()
        before = list(made.parameters())

        rnnspec.load_weights(made, file)

        assert all(a is b for a, b in zip(before, made.parameters(), strict=True))
        assert all(parameter.requires_grad for parameter in before)

    def test_the_models_dtype_stays(self, file: Path) -> None:
        made = model().double()

        rnnspec.load_weights(made, file)

        assert made.state_dict()["lstm.kernel"].dtype == torch.float64
        assert torch.equal(made.state_dict()["lstm.kernel"].float(), load_file(file)["lstm.kernel"])

    def test_everything_that_does_not_fit_is_named_with_both_shapes(self, file: Path) -> None:
        other = model(units=4, name="last")
        before = {name: value.clone() for name, value in other.state_dict().items()}

        with pytest.raises(WeightsError) as error:
            rnnspec.load_weights(other, file)

        assert sorted(str(error.value).splitlines()) == [
            f"{file}: the file has no tensor 'last.bias', which has the shape (2,) in the model",
            f"{file}: the file has no tensor 'last.kernel', which has the shape (4, 2) in the model",
            f"{file}: the model has no tensor 'dense.bias', which has the shape (2,) in the file",
            f"{file}: the model has no tensor 'dense.kernel', which has the shape (3, 2) in the file",
            f"{file}: the tensor 'lstm.bias' has the shape (12,) in the file and (16,) in the model",
            f"{file}: the tensor 'lstm.kernel' has the shape (2, 12) in the file and (2, 16) in the model",
            f"{file}: the tensor 'lstm.recurrent_kernel' has the shape (3, 12) in the file and (4, 16) in the model",
        ]
        assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())

    def test_integers_are_no_weights_of_a_layer(self, file: Path) -> None:
        tensors = load_file(file)
        save_file({**tensors, "dense.bias": tensors["dense.bias"].long()}, file)

        with pytest.raises(WeightsError) as error:
            rnnspec.load_weights(model(), file)

        expected = "the tensor 'dense.bias' has the dtype int64 in the file and float32 in the model"
        assert str(error.value) == f"{file}: {expected}"

    def test_a_layer_that_is_not_built_is_told(self, file: Path) -> None:
        with pytest.raises(WeightsError) as error:
            rnnspec.load_weights(nn.LSTM(3), file)

        assert str(error.value) == "LSTM has no weights yet: give its input_shape, build it, or call it once"

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "header too small"),
            (b"\x80\x04\x95" + b"x" * 100, "header too large"),
            (b"PK\x03\x04" + b"x" * 100, "header too large"),
        ],
        ids=["empty", "pickle", "torchs-zip"],
    )
    def test_another_file_is_refused_and_never_unpickled(self, tmp_path: Path, content: bytes, reason: str) -> None:
        path = tmp_path / "a.safetensors"
        path.write_bytes(content)

        with pytest.raises(WeightsError) as error:
            rnnspec.load_weights(model(), path)

        assert str(error.value) == (
            f"{path}: is no safetensors file, or is damaged: Error while deserializing: {reason}\n"
            "  hint: save_weights writes such files; a damaged one must be copied again"
        )

    @pytest.mark.parametrize(
        "tensor",
        [
            {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]},
            {"dtype": "F32", "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]},
            {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]},
            {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]},
        ],
        ids=["no-dtype-of-torch", "too-large-and-empty", "larger-than-the-file", "before-the-file"],
    )
    def test_a_header_that_lies_is_refused(self, tmp_path: Path, tensor: dict[str, Any]) -> None:
        write(tmp_path / "a.safetensors", {"kernel": tensor}, b"x")

        with pytest.raises(WeightsError, match="is no safetensors file, or is damaged"):
            rnnspec.load_weights(model(), tmp_path / "a.safetensors")

    @pytest.mark.parametrize("cut", [1, 50, 300])
    def test_a_file_that_was_cut_off_is_refused(self, file: Path, cut: int) -> None:
        file.write_bytes(file.read_bytes()[:-cut])

        with pytest.raises(WeightsError, match="is no safetensors file, or is damaged"):
            rnnspec.load_weights(model(), file)

    @pytest.mark.parametrize(("name", "reason"), [("", "Is a directory"), ("b", "No such file or directory")])
    def test_what_cannot_be_read_is_told(self, tmp_path: Path, name: str, reason: str) -> None:
        with pytest.raises(WeightsError) as error:
            rnnspec.load_weights(model(), tmp_path / name)

        assert str(error.value) == f"{tmp_path / name}: cannot be read: {reason}"


@pytest.mark.parametrize("package", ["safetensors.torch", "numpy"])
def test_without_the_package_the_extra_is_named(file: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)

    with pytest.raises(rnnspec.Error) as error:
        rnnspec.load_weights(model(), file)

    assert str(error.value) == (
        "weights in files need the packages safetensors and numpy, which are not installed\n"
        "  hint: pip install 'rnnspec[weights]'"
    )
