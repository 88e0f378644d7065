"""The shape of an input where the file has lost it: Keras 2.2 and 2.3 do not write the InputLayer of a Sequential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rnnspec.config.base import Config
from rnnspec.config.inference import infer
from rnnspec.config.module import ModuleConfig
from rnnspec.errors import ConfigError, Problem, ShapeError, StateError
from rnnspec.interop.keras.hdf5 import Array
from rnnspec.interop.keras.parts import GATES, Part
from rnnspec.interop.keras.report import Report
from rnnspec.interop.keras.sources import StoredWeights
from rnnspec.interop.keras.stored import stored_arrays
from rnnspec.registry import LAYERS
from rnnspec.shapes import format_shape

__all__ = ["declare_input", "require_input"]

GIVE_SHAPE = (
    "the file does not tell the shape of its input: give it, from_keras(..., input_shape=(None, 7, 3)), or "
    "--input-shape none,7,3"
)

KERNEL_RANKS = {**dict.fromkeys(GATES, 2), "Conv1D": 3}
"""Layers that take steps for certain, and how many axes their kernels have; the last but one is the features'."""


def declare_input(
    model: Part, stored: StoredWeights | None, report: Report, given: Sequence[int | None] | None
) -> bool:
    """Declares the input of a Sequential that does not tell its shape: as given, or by the first weights that it meets.

    Keras itself cannot load such a file: "You are trying to load a weight file containing 3 layers into a model with 0
    layers". Where the weights do not tell the shape either, nothing is declared.

    Args:
        model: The model as it was read.
        stored: The weights in their file, if they are there.
        report: Where the decision is noted.
        given: The shape with the batch, None where free, that the user gave.

    Returns:
        Whether nothing but the weights told the shape.

    Raises:
        ConfigError: If a shape is given that the file tells.
        WeightsError: If the file has other layers than the model.
    """
    first = model.first
    lost = model.tag == "Sequential" and first.tag != "graph" and "batch_input_shape" not in first.arguments
    if given is not None:
        if not lost:
            raise ConfigError(Problem("the file tells the shape of its input", hint="leave input_shape out"))
        first.arguments["batch_input_shape"] = list(given)
        report.decide(f"the shape of the input is {format_shape(tuple(given))}, as it was given")
    elif lost and first.tag != "Embedding" and stored is not None:
        _declare_features(model, stored, report)
    return lost and given is None


def require_input(config: Config) -> None:
    """Asks for the shape of the input where the model needs to know more of it.

    Args:
        config: The model, whose file has lost that shape.

    Raises:
        ShapeError: If a layer needs a size that is not known.
        StateError: If the batch size is not known, and a layer is stateful.
    """
    error = infer(config, required=True).error
    if isinstance(error, (ShapeError, StateError)):
        raise error.mapped(lambda problem: replace(problem, hint=GIVE_SHAPE))


def _declare_features(model: Part, stored: StoredWeights, report: Report) -> None:
    """Declares sequences with the features that the first weights take."""
    first = model.first
    arrays = {id(part): found for part, found in stored_arrays(model, stored, report)}
    for part in model.leaves():
        if id(part) in arrays:
            features = _features(part, arrays[id(part)][0])
            if features is not None:
                first.arguments["batch_input_shape"] = [None, None, features]
                report.decide(f"the file has lost the shape of its input; {part.label} takes {features} features")
            return
        if part.tag == "Input" or not _keeps_shapes(part.tag):
            return


def _keeps_shapes(tag: str) -> bool:
    """Whether a layer gives the shape that it takes, whatever its arguments are."""
    config = None if LAYERS.is_users(tag) else LAYERS.find(tag)
    return config is not None and config.compute_output_shape is ModuleConfig.compute_output_shape


def _features(part: Part, kernel: Array) -> int | None:
    """The features of the sequences that a layer takes, by its first array."""
    at_every_step = part.tag == "TimeDistributed"
    while part.inside:
        part = part.inside[0]
    rank = 2 if at_every_step and part.tag == "Dense" else None if at_every_step else KERNEL_RANKS.get(part.tag)
    return kernel.shape[-2] if rank == len(kernel.shape) else None
