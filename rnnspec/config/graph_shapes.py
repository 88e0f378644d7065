"""Shapes and masks of a graph, from its config alone: call after call, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rnnspec import shapes
from rnnspec.config.graph import GraphConfig
from rnnspec.config.module import ModuleConfig
from rnnspec.config.wiring import Call, Reference
from rnnspec.errors import Error, Key, MaskError, Problem, ShapeError, StateError
from rnnspec.shapes import Shape, format_shape

__all__ = ["Flow", "flow"]


@dataclass
class Flow:
    """What is known of the tensors of a graph, up to the call that cannot work.

    Attributes:
        shapes: Of the outputs of every input and call; None where not known.
        masks: Whether a mask comes with the first outputs; None where not known.
        inputs: What every layer gets in its first call: a shape, or a list for a layer that merges.
        error: Why a call cannot work, with a path that starts at `layers`; None if all is well.
    """

    shapes: dict[tuple[str, int], tuple[Shape | None, ...]] = field(default_factory=dict)
    masks: dict[tuple[str, int], tuple[bool | None, ...]] = field(default_factory=dict)
    inputs: dict[int, Shape | tuple[Shape, ...] | None] = field(default_factory=dict)
    error: Error | None = None

    def shape(self, reference: Reference) -> Shape | None:
        """The shape of a tensor."""
        return self.shapes[reference[:2]][reference[2]]

    def mask(self, reference: Reference) -> bool | None:
        """Whether a mask comes with a tensor; None where not known."""
        masks = self.masks.get(reference[:2])
        return None if masks is None else reference[2] < len(masks) and masks[reference[2]]


def flow(config: GraphConfig, given: Sequence[Shape | None], masked: Sequence[bool | None]) -> Flow:
    """Follows shapes and masks through a graph.

    Args:
        config: The graph.
        given: The shape of each input, None where it is not known.
        masked: Whether a mask comes with each input.

    Returns:
        What was found.
    """
    wiring, found = config.wiring, Flow()
    if len(given) != len(wiring.inputs):
        names = ", ".join(wiring.inputs)
        found.error = ShapeError(f"expected {len(wiring.inputs)} inputs ({names}), found {len(given)}")
        return found
    declared = {name: layer.declared_input() for name, layer in zip(wiring.names, config.stack, strict=True)}
    for name, shape, mask in zip(wiring.inputs, given, masked, strict=True):
        own = declared.get(name)
        merged = shape if own is None else own if shape is None else shapes.merge(own, shape)
        if merged is None and shape is not None:
            message = f"the Input '{name}' declares {format_shape(own or ())}, found {format_shape(shape)}"
            found.error = ShapeError(Problem(message, _keys(config, wiring.names.index(name))))
            return found
        found.shapes[name, 0], found.masks[name, 0] = (merged or _asked_for(config, name),), (mask,)
        if name in wiring.names:
            found.inputs[wiring.names.index(name)] = merged
    for call in wiring.calls:
        try:
            _run(config, call, found)
        except Error as error:
            found.error = error
            return found
    for position, reference in enumerate(wiring.outputs):
        found.error = _no_such_output(config, reference, found, ("output_layers", position))
        if found.error is not None:
            break
    return found


def _keys(config: GraphConfig, index: int, *more: Key) -> tuple[Key, ...]:
    return ("layers", index, config.stack[index].identifier, *more)


def _asked_for(config: GraphConfig, name: str) -> Shape | None:
    """The shape that a layer declares which takes an input first."""
    takers = (call for call in config.wiring.calls if call.sources[:1] == ((name, 0, 0),))
    declared = (config.stack[call.layer].declared_input() for call in takers)
    return next((shape for shape in declared if shape is not None), None)


def _no_such_output(config: GraphConfig, reference: Reference, found: Flow, keys: tuple[Key, ...]) -> ShapeError | None:
    name, node, tensor = reference
    count = len(found.shapes[name, node])
    if tensor < count:
        return None
    outputs = "one output" if count == 1 else f"{count} outputs"
    layers = dict(zip(config.wiring.names, config.stack, strict=True))
    hint = "set return_state on it" if getattr(layers.get(name), "return_state", None) is False else None
    return ShapeError(Problem(f"'{name}' has {outputs}, found its tensor {tensor} (the first is 0)", keys, hint))


def _run(config: GraphConfig, call: Call, found: Flow) -> None:
    """One call: its outputs and its mask; an error gets the path of the layer and says what came from where."""
    layer = config.stack[call.layer]
    for reference in call.sources:
        if error := _no_such_output(config, reference, found, _keys(config, call.layer, "inbound_nodes")):
            raise error
    coming = [found.shape(reference) for reference in call.sources]
    masks = [found.mask(reference) for reference in call.sources]
    try:
        if layer.takes_several:
            known = tuple(shape for shape in coming if shape is not None)
            merged = known if len(known) == len(coming) else None
            found.inputs.setdefault(call.layer, merged)
            outputs = (None,) if merged is None else layer.output_shapes(merged)  # type: ignore[arg-type]
            left = layer.output_masks(masks)
        else:
            outputs = _single(call, layer, coming, found)
            left = layer.output_masks(masks[0])
    except (ShapeError, StateError, MaskError) as error:
        raise error.mapped(lambda problem: _located(problem, config, call, coming)) from None
    found.shapes[call.name, call.node], found.masks[call.name, call.node] = outputs, left


def _single(call: Call, layer: ModuleConfig, coming: Sequence[Shape | None], found: Flow) -> tuple[Shape | None, ...]:
    """The outputs of a layer with one input, which initial states may follow."""
    first, *states = coming
    declared = layer.declared_input()
    shape = declared if first is None else first if declared is None else shapes.merge(declared, first)
    if shape is None and declared is not None:
        raise ShapeError(f"it declares the input shape {format_shape(declared)}")
    found.inputs.setdefault(call.layer, shape)
    if shape is None:
        return (None,)
    outputs = layer.output_shapes(shape)
    layer.check_input(shape)
    _check_states(layer.state_shapes(shape), states)
    return outputs


def _check_states(wanted: Sequence[Shape] | None, states: Sequence[Shape | None]) -> None:
    """Checks number and shapes of the initial states of a call."""
    if not states or wanted is None:
        return
    if not wanted:
        raise ShapeError(f"expected one input, found {len(states) + 1}")
    if len(states) != len(wanted):
        raise StateError(f"it has {len(wanted)} state{'s' * (len(wanted) > 1)}, found {len(states)} initial ones")
    for want, state in zip(wanted, states, strict=True):
        if state is not None and shapes.merge(want, state) is None:
            raise StateError(f"its initial states have the shape {format_shape(want)}, found {format_shape(state)}")


def _located(problem: Problem, config: GraphConfig, call: Call, coming: Sequence[Shape | None]) -> Problem:
    """The problem of a call, which says what it takes; a layer with several inputs has told their shapes itself."""
    told = config.stack[call.layer].takes_several
    sources = ", ".join(
        f"'{name}'" + ("" if told or shape is None else f" {format_shape(shape)}")
        for (name, _, _), shape in zip(call.sources, coming, strict=True)
    )
    message = f"'{call.name}': {problem.message}; it takes {sources}"
    return replace(problem, message=message).under(*_keys(config, call.layer))
