"""Weights on disk: safetensors files, numbers by name and nothing else, so that no code is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from rnnspec.errors import Error, Problem, WeightsError
from rnnspec.files import write_bytes

__all__ = ["load_weights", "save_weights"]


def save_weights(model: torch.nn.Module, path: str | os.PathLike[str]) -> None:
    """Writes all weights of a model into a safetensors file, by the names of its `state_dict`.

    Beside the model's YAML they are all that it takes to have it again: `build(load("model.yaml"))`, then
    `load_weights`. Any torch module can be saved so. The states of stateful layers are no weights.

    Args:
        model: The model.
        path: The file; an existing one is replaced, at once or not at all.

    Raises:
        Error: If the package safetensors is not installed.
        WeightsError: If a layer has no weights yet, or the module keeps something that is no tensor.
        OSError: If the file cannot be written.
    """
    safetensors = _safetensors()
    # A copy each: the file takes no tensor that shares its memory with another.
    tensors = {name: value.cpu().clone(memory_format=torch.contiguous_format) for name, value in _state(model).items()}
    write_bytes(path, safetensors.save(tensors, metadata={"format": "pt"}))


def load_weights(model: torch.nn.Module, path: str | os.PathLike[str]) -> None:
    """Reads the weights of a model from a safetensors file; `save_weights` writes such files, and so do others.

    The numbers take the dtype and the device of the model's own. Nothing is unpickled and no code in the file is run.

    Args:
        model: The model, built.
        path: The file.

    Raises:
        Error: If the package safetensors is not installed.
        WeightsError: If it is no such file, or is damaged, or holds other tensors than the model has: all of them are
            named, each with both shapes, and the model stays as it was.
    """
    found = _read(path)
    problems = list(_differences(_state(model), found))
    if problems:
        raise WeightsError(*(Problem(message, file=os.fspath(path)) for message in problems))
    model.load_state_dict(found)


def _state(model: torch.nn.Module) -> dict[str, Tensor]:
    """The tensors of a model by name, if it has its weights and nothing else."""
    state = model.state_dict()
    others = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if others:
        message = "the model keeps '{}' in its state_dict, which is no tensor: a safetensors file holds tensors alone"
        raise WeightsError(*(message.format(name) for name in others))
    lazy = [name for name, value in state.items() if is_lazy(value)]
    if lazy:
        raise WeightsError(*(f"the model has no weight '{name}' yet: build it, or call it once" for name in lazy))
    return state


def _differences(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Iterator[str]:
    """What a file has otherwise than a model, one line a tensor."""
    for name, own in wanted.items():
        if name not in found:
            yield f"the file has no tensor '{name}', which has the shape {tuple(own.shape)} in the model"
            continue
        given = found[name]
        if given.shape != own.shape:
            shapes = f"the shape {tuple(given.shape)} in the file and {tuple(own.shape)} in the model"
            yield f"the tensor '{name}' has {shapes}"
        elif (given.is_floating_point(), given.is_complex()) != (own.is_floating_point(), own.is_complex()):
            yield f"the tensor '{name}' has the dtype {_name(given)} in the file and {_name(own)} in the model"
    for name, given in found.items():
        if name not in wanted:
            yield f"the model has no tensor '{name}', which has the shape {tuple(given.shape)} in the file"


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _read(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors in a file."""
    safetensors = _safetensors()
    from safetensors import SafetensorError

    file = os.fspath(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise WeightsError(Problem(f"cannot be read: {error.strerror}", file=file)) from None
    try:
        tensors: dict[str, Tensor] = safetensors.load(content)
    # Besides its own error safetensors meets dtypes that torch has not, and shapes that no memory holds.
    except (SafetensorError, KeyError, RuntimeError) as error:
        hint = "save_weights writes such files; a damaged one must be copied again"
        raise WeightsError(Problem(f"is no safetensors file, or is damaged: {error}", file=file, hint=hint)) from None
    return tensors


def _safetensors() -> ModuleType:
    try:
        import numpy  # noqa: F401  (what safetensors writes tensors with)
        import safetensors.torch
    except ImportError:
        message = "weights in files need the packages safetensors and numpy, which are not installed"
        raise Error(Problem(message, hint="pip install 'rnnspec[weights]'")) from None
    return safetensors.torch
