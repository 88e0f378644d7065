"""Shapes of a whole model, from its config alone: nothing is built, and torch is not needed.

`infer` walks through the layers, and stops at the first one that cannot work: whatever comes after it would only follow
from that. An unknown shape stays unknown until a layer declares its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from rnnspec import merging, shapes
from rnnspec.config import convert
from rnnspec.config.base import Config
from rnnspec.config.checks import BatchShape, Reference
from rnnspec.config.embeddings import EmbeddingConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.graph_shapes import flow
from rnnspec.config.model import SequentialConfig
from rnnspec.config.module import ModuleConfig
from rnnspec.config.sequence import RecurrentConfig
from rnnspec.config.wiring import names_of
from rnnspec.config.wrappers import BidirectionalConfig, WrapperConfig
from rnnspec.errors import ConfigError, Error, Key, MaskError, Problem, ShapeError, format_path
from rnnspec.shapes import Shape, format_shape

if TYPE_CHECKING:
    from rnnspec.config.experiment import DataConfig, ExperimentConfig

__all__ = ["Inference", "LayerShapes", "infer"]


@dataclass(frozen=True)
class LayerShapes:
    """What is known of one layer of a model.

    Attributes:
        keys: Path of the layer in the document.
        name: Its name; `lstm_1`, as Keras counts, where the config gives none.
        config: Its config.
        input_shape: Shape of the input with the batch, several for a layer that merges; None where it is not known.
        output_shapes: Shapes of the outputs, each None where it is not known.
        prefix: Path of the config in its file, which messages show before `keys`.
    """

    keys: tuple[Key, ...]
    name: str
    config: ModuleConfig
    input_shape: Any
    output_shapes: tuple[Shape | None, ...]
    prefix: tuple[Key, ...] = ()

    @property
    def output_shape(self) -> Shape | None:
        """Shape of the (first) output; None where it is not known."""
        return self.output_shapes[0]

    @property
    def label(self) -> str:
        """What messages call it: `LSTM 'encoder' ([1].LSTM)`."""
        return f"{self.config.label} ({format_path((*self.prefix, *self.keys))})"


@dataclass(frozen=True)
class Inference:
    """What `infer` found.

    Attributes:
        layers: The layers, up to the one that failed.
        error: Why it failed; None if all is well.
        inputs: The shapes of a graph's inputs; None for all else, whose input is the first layer's.
        outputs: The shapes of a graph's outputs.
    """

    layers: tuple[LayerShapes, ...]
    error: Error | None = None
    inputs: tuple[Shape | None, ...] | None = None
    outputs: tuple[Shape | None, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        """What is wrong: one problem at most, with the path of its layer."""
        return self.error.problems if self.error else []

    @property
    def input_shape(self) -> Shape | None:
        """Shape of the model's input; None where it is not known, or there are several."""
        if self.inputs is not None:
            return self.inputs[0] if len(self.inputs) == 1 else None
        return self.layers[0].input_shape if self.layers else None

    @property
    def output_shape(self) -> Shape | None:
        """Shape of the model's (first) output; None where it is not known."""
        if self.inputs is not None:
            return self.outputs[0] if self.outputs and not self.error else None
        return self.layers[-1].output_shape if self.layers and not self.error else None

    def raise_error(self) -> None:
        """Raises the error, if there is one.

        Raises:
            Error: The error.
        """
        if self.error:
            raise self.error


def infer(
    config: Config,
    input_shape: Sequence[int | None] | Sequence[Sequence[int | None]] | None = None,
    *,
    keys: tuple[Key, ...] = (),
    required: bool = False,
    masked: bool = False,
) -> Inference:
    """Infers the shapes of all layers of a model.

    Args:
        config: A layer, a `SequentialConfig`, a `GraphConfig`, or an `ExperimentConfig`.
        input_shape: Shape of the model's input, with the batch, None where it is free; without the batch only where the
            first layer fixes the rank, so two entries for a recurrent one; a list of shapes for a graph with several
            inputs. What the first layer declares must agree. Default: that of an experiment's data.
        keys: Path of the config in its document, put before every path.
        required: Whether an input shape that nothing declares is an error.
        masked: Whether a mask comes with the input, as it does with an experiment's data.

    Returns:
        The layers with their shapes, and the error of the first layer that cannot work: a `ShapeError`, a `StateError`
        (`stateful` without a batch size), a `MaskError` (a mask reaches a layer that cannot take one), or a
        `ConfigError` (`Recurrent` is abstract). The output of an experiment's model must fit the classes of its data.

    Raises:
        ConfigError: If `input_shape` is no shape.
    """
    # `load` keeps beside the config where in its file it stood: `("model",)`.
    prefix = getattr(getattr(config, "_source", None), "prefix", ())
    if isinstance(config, GraphConfig):
        return _graph(config, input_shape, keys, prefix, required, masked)
    if isinstance(config, SequentialConfig):
        stack = config.stack
        paths = [(*keys, index, layer.identifier) for index, layer in enumerate(stack)]
    elif isinstance(config, ModuleConfig):
        stack = (config,)
        paths = [(*keys, config.identifier)]
    else:
        experiment = cast("ExperimentConfig", config)
        shape = experiment.input_shape if input_shape is None else input_shape
        found = infer(experiment.model, shape, keys=(*keys, "model"), required=required, masked=bool(experiment.data))
        return _fitting(experiment, found)
    given = None if input_shape is None else convert.structure(input_shape, BatchShape, ("input_shape",))
    unknown = [
        LayerShapes(path, name, layer, None, (None,), prefix)
        for path, name, layer in zip(paths, names_of(stack), stack, strict=True)
    ]
    return _walk(unknown, given, required, masked)


def _graph(
    config: GraphConfig,
    given: Any,
    keys: tuple[Key, ...],
    prefix: tuple[Key, ...],
    required: bool,
    masked: bool,
) -> Inference:
    """The shapes of a graph; several inputs have a list of shapes."""
    wiring, names = config.wiring, config.wiring.names
    count = len(wiring.inputs)
    shapes_given: list[Shape | None] = [None] * count
    if given is not None:
        listed = list(given) if all(isinstance(one, (list, tuple)) for one in given) else [given]
        shapes_given = [convert.structure(one, BatchShape, ("input_shape",)) for one in listed]
    found = flow(config, shapes_given, [masked] * count)
    keys = (*keys, config.identifier)
    error = found.error.mapped(lambda problem: problem.under(*keys)) if found.error else None
    inputs = tuple(found.shape(Reference(name)) for name in wiring.inputs)
    if error is None and required and None in inputs:
        name = wiring.inputs[inputs.index(None)]
        hint = f"make it a layer: Input: {{name: {name}, shape: [...]}}, or give an input_shape for the model"
        error = ShapeError(Problem(f"the shape of the input '{name}' is not known", keys, hint))
    layers = tuple(
        LayerShapes(
            (*keys, "layers", index, layer.identifier),
            names[index],
            layer,
            found.inputs[index],
            found.shapes[names[index], 0] or (None,),
            prefix,
        )
        for index, layer in enumerate(config.stack)
        if index in found.inputs and (names[index], 0) in found.shapes
    )
    outputs = () if error else tuple(found.shape(reference) for reference in wiring.outputs)
    return Inference(layers, error, inputs, outputs)


def _fitting(config: ExperimentConfig, inference: Inference) -> Inference:
    """Adds the error of a model that cannot be trained with the data: its output or its batch size does not fit."""
    if config.data is None or inference.error:
        return inference
    last, output = _last(config.model, inference), inference.output_shape
    numbers = config.data.classes or config.data.targets
    # One probability says all about two classes.
    single = config.data.classes == 2 and config.loss.identifier == "BinaryCrossEntropy"
    ranks, message = (3,) if config.data.step_targets else (2, 3), None
    if config.model.several_outputs:
        whole = config.model if isinstance(config.model, GraphConfig) else last.config
        message = f"{whole.label} returns several tensors ({whole.several_outputs}), a loss takes one"
    elif output is not None and (len(output) not in ranks or output[-1] not in (None, numbers, 1 if single else None)):
        message = (
            f"{last.config.label} gives {format_shape(output)}, expected {numbers} numbers at the end, one for each"
        )
        message += f" {'class' if config.data.classes else 'target'} of {config.data.identifier}"
        message += " at each step" if config.data.step_targets else ""
    if message:
        return replace(inference, error=ShapeError(Problem(message, last.keys)))
    return replace(inference, error=_other_batch_size(config, inference.input_shape) or _few_ids(config, inference))


def _last(model: ModuleConfig, inference: Inference) -> LayerShapes:
    """The layer that gives the (first) output."""
    name = model.wiring.outputs[0].name if isinstance(model, GraphConfig) else None
    return next((layer for layer in inference.layers if layer.name == name), inference.layers[-1])


def _other_batch_size(config: ExperimentConfig, input_shape: Shape | None) -> ConfigError | None:
    """The error of a stateful model that is trained with another batch size than its own."""
    layers = config.model.stateful_layers()
    if not layers or input_shape is None or input_shape[0] in (None, config.train.batch_size):
        return None
    message = f"batch_size must be {input_shape[0]}, which the stateful {layers[0].label} has, found"
    return ConfigError(Problem(f"{message} {config.train.batch_size}", ("train", "batch_size")))


def _few_ids(config: ExperimentConfig, inference: Inference) -> ConfigError | None:
    """The error of an `Embedding` that has no vector for some of the data's tokens."""
    tokens, named = cast("DataConfig", config.data).tokens or 0, cast("DataConfig", config.data).identifier
    for layer in inference.layers:
        if isinstance(layer.config, EmbeddingConfig) and layer.config.input_dim < tokens:
            message = f"input_dim must be at least {tokens}, the number of ids in {named}"
            return ConfigError(Problem(f"{message}, found {layer.config.input_dim}", (*layer.keys, "input_dim")))
    return None


def _walk(layers: list[LayerShapes], given: Shape | None, required: bool, masked: bool) -> Inference:
    """Fills in the shapes layer by layer, until the end or the first error."""
    found: list[LayerShapes] = []
    mask: bool | None = masked
    masker: LayerShapes | None = None
    for index, layer in enumerate(layers):
        before = found[-1] if found else None
        try:
            _refuse_unfit(layer)
            input_shape = _input_shape(layer, before, given, required)
            output_shapes = (None,) if input_shape is None else _output_shapes(layer, before, input_shape)
            mask_after = _mask(layer, mask, masker)
            if index + 1 < len(layers):
                _check_one_output(layer, layers[index + 1])
        except Error as error:
            return Inference(tuple(found), error)
        layer = replace(layer, input_shape=input_shape, output_shapes=output_shapes)
        masker = layer if mask_after and not mask else masker
        mask = mask_after
        found.append(layer)
    return Inference(tuple(found))


def _refuse_unfit(layer: LayerShapes) -> None:
    """Refuses what is no layer of its own: an abstract one, and one with several inputs."""
    config, keys = layer.config, layer.keys
    while isinstance(config, WrapperConfig):
        config = config.inner
        keys = (*keys, "layer", config.identifier)
    if type(config) is RecurrentConfig:
        message = "Recurrent is abstract and cannot be built"
        raise ConfigError(Problem(message, keys, "use SimpleRNN, LSTM or GRU", at_key=True))
    if config.takes_several:
        raise ConfigError(Problem(merging.alone(config.identifier), keys, at_key=True))


def _input_shape(layer: LayerShapes, before: LayerShapes | None, given: Shape | None, required: bool) -> Shape | None:
    """What the layer gets: what comes from before and what it declares, which must agree."""
    config = layer.config
    coming = _with_batch(given, config.input_rank) if before is None else before.output_shape
    declared = config.declared_input()
    if coming is None:
        shape = declared
        if before is None and shape is None:
            shape = config.default_input()
            if shape is None and required:
                hint = "give input_shape or batch_input_shape to this first layer, or an input_shape for the model"
                raise ShapeError(Problem(f"{_name(layer)}the shape of its input is not known", layer.keys, hint))
        return shape
    merged = coming if declared is None else shapes.merge(declared, coming)
    if merged is None:
        source = (
            f"{format_shape(coming)} was given" if before is None else f"{before.label} gives {format_shape(coming)}"
        )
        message = f"{config.label} declares the input shape {format_shape(declared or ())}, but {source}"
        raise ShapeError(Problem(message, layer.keys))
    return merged


def _with_batch(shape: Shape | None, rank: int | None) -> Shape | None:
    """Puts a free batch size before a shape that has one size less than the layer asks for."""
    return (None, *shape) if shape is not None and rank is not None and len(shape) == rank - 1 else shape


def _output_shapes(layer: LayerShapes, before: LayerShapes | None, input_shape: Shape) -> tuple[Shape | None, ...]:
    source = "the model's input" if before is None else f"the output of {before.label}"
    try:
        output_shapes = layer.config.output_shapes(input_shape)
    except ShapeError as error:
        hint = f"set return_sequences on {before.label}" if before and _gives_last_step(before.config) else None
        raise _located(error, layer, f", {source}", hint) from None
    try:
        layer.config.check_input(input_shape)
    except Error as error:
        raise _located(error, layer) from None
    return output_shapes


def _gives_last_step(config: ModuleConfig) -> bool:
    inner = config.inner if isinstance(config, BidirectionalConfig) else config
    return isinstance(inner, RecurrentConfig) and not inner.return_sequences


def _mask(layer: LayerShapes, mask: bool | None, masker: LayerShapes | None) -> bool | None:
    try:
        return layer.config.output_mask(mask)
    except MaskError as error:
        source = f"; one reached it from {masker.label}" if masker else "; one comes with the data"
        raise _located(error, layer, source) from None


def _check_one_output(layer: LayerShapes, after: LayerShapes) -> None:
    argument = layer.config.several_outputs
    if argument is not None:
        message = f"{layer.config.label} returns several tensors ({argument}), so no layer can follow it"
        raise ShapeError(Problem(f"{message}, found {after.label}", layer.keys))


def _located(error: Error, layer: LayerShapes, source: str = "", hint: str | None = None) -> Error:
    """The error of a layer, with its own name, its path and where its input comes from."""

    def located(problem: Problem) -> Problem:
        message = f"{_name(layer)}{problem.message}{source}"
        return replace(problem, message=message, hint=hint or problem.hint).under(*layer.keys)

    return error.mapped(located)


def _name(layer: LayerShapes) -> str:
    """The layer as the start of a message; one without a name is named well enough by its path."""
    return f"{layer.config.label}: " if layer.config.name else ""
