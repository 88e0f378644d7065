"""Shapes and masks of a graph, from its config alone: call after call, in the order in which they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rnnspec import shapes
from rnnspec.config.checks import Reference
from rnnspec.config.graph import GraphConfig
from rnnspec.config.module import ModuleConfig
from rnnspec.config.wiring import Call
from rnnspec.errors import Error, Key, MaskError, Problem, ShapeError, StateError
from rnnspec.shapes import Shape, format_shape

__all__ = ["Flow", "declared_input", "flow", "flow_of_masks", "flow_of_shapes"]


@dataclass
class Flow:
    """What is known of the tensors of a graph, up to the call that cannot work.

    Attributes:
        shapes: Of the outputs of every input and call; None where not known, for one of them or for all.
        masks: Whether a mask comes with the first outputs; None where not known.
        inputs: What every layer gets in its first call: a shape, or a list for a layer that merges.
        error: Why a call cannot work, with a path that starts at the graph; None if all is well.
    """

    shapes: dict[tuple[str, int], tuple[Shape | None, ...] | None] = field(default_factory=dict)
    masks: dict[tuple[str, int], tuple[bool | None, ...]] = field(default_factory=dict)
    inputs: dict[int, Shape | tuple[Shape, ...] | None] = field(default_factory=dict)
    error: Error | None = None

    def shape(self, reference: Reference) -> Shape | None:
        """The shape of a tensor; None where not known."""
        outputs = self.shapes.get(reference[:2])
        return None if outputs is None else outputs[reference.tensor]

    def mask(self, reference: Reference) -> bool | None:
        """Whether a mask comes with a tensor; None where not known."""
        masks = self.masks.get(reference[:2])
        return None if masks is None else reference.tensor < len(masks) and masks[reference.tensor]


def flow(config: GraphConfig, given: Sequence[Shape | None], masked: Sequence[bool | None]) -> Flow:
    """Follows shapes, then masks through a graph.

    Args:
        config: The graph.
        given: The shape of each input, None where it is not known.
        masked: Whether a mask comes with each input.

    Returns:
        What was found.
    """
    found = flow_of_shapes(config, given)
    return found if found.error else flow_of_masks(config, masked, found)


def flow_of_shapes(config: GraphConfig, given: Sequence[Shape | None]) -> Flow:
    """Follows the shapes alone; see `flow`."""
    found = Flow()
    try:
        _check_count(config, given)
        for name, shape in zip(config.wiring.inputs, given, strict=True):
            _enter(config, name, shape, found)
        for call in config.wiring.calls:
            found.shapes[call.name, call.node] = _outputs(config, call, found)
        for position, reference in enumerate(config.wiring.outputs):
            _check_output(config, reference, found, ("output_layers", position))
    except Error as error:
        found.error = error
    return found


def flow_of_masks(config: GraphConfig, masked: Sequence[bool | None], found: Flow | None = None) -> Flow:
    """Follows the masks alone, beside the shapes that were found; see `flow`."""
    found = found or Flow()
    try:
        _check_count(config, masked)
        found.masks |= {(name, 0): (mask,) for name, mask in zip(config.wiring.inputs, masked, strict=True)}
        for call in config.wiring.calls:
            layer, masks = config.stack[call.layer], [found.mask(reference) for reference in call.sources]
            with _located(config, call, found):
                left = layer.output_masks(masks if layer.takes_several else masks[0])
            found.masks[call.name, call.node] = left
    except Error as error:
        found.error = error
    return found


def declared_input(config: GraphConfig, name: str) -> Shape | None:
    """What is declared for an input: by its `Input`, or by a layer that takes it first."""
    if name in config.wiring.places:
        return config.stack[config.wiring.places[name]].declared_input()
    takers = (call for call in config.wiring.calls if call.sources[:1] == ((name, 0, 0),))
    declared = (config.stack[call.layer].declared_input() for call in takers)
    return next((shape for shape in declared if shape is not None), None)


def _check_count(config: GraphConfig, given: Sequence[Any]) -> None:
    inputs = config.wiring.inputs
    if len(given) != len(inputs):
        raise ShapeError(f"expected {len(inputs)} inputs ({', '.join(inputs)}), found {len(given)}")


def _enter(config: GraphConfig, name: str, shape: Shape | None, found: Flow) -> None:
    """The shape of an input: what is given and what is declared."""
    declared = declared_input(config, name)
    index = config.wiring.places.get(name)
    if index is None:
        found.shapes[name, 0] = (declared if shape is None else shape,)  # a layer checks what it declares
        return
    merged = shape if declared is None else declared if shape is None else shapes.merge(declared, shape)
    if merged is None and shape is not None:
        message = f"the Input '{name}' declares {format_shape(declared or ())}, found {format_shape(shape)}"
        raise ShapeError(Problem(message, _keys(config, index)))
    found.shapes[name, 0], found.inputs[index] = (merged,), merged


def _keys(config: GraphConfig, index: int, *more: Key) -> tuple[Key, ...]:
    return ("layers", index, config.stack[index].identifier, *more)


def _check_output(config: GraphConfig, reference: Reference, found: Flow, keys: tuple[Key, ...]) -> None:
    """Refuses an output that a call does not have."""
    name, node, tensor = reference
    outputs = found.shapes[name, node]
    if outputs is None or tensor < len(outputs):
        return
    index = config.wiring.places.get(name)
    can_return = index is not None and getattr(config.stack[index], "return_state", None) is False
    hint = "set return_state on it" if can_return else None
    count = "one output" if len(outputs) == 1 else f"{len(outputs)} outputs"
    raise ShapeError(Problem(f"'{name}' has {count}, found its tensor {tensor} (the first is 0)", keys, hint))


def _outputs(config: GraphConfig, call: Call, found: Flow) -> tuple[Shape | None, ...] | None:
    """The shapes of the outputs of a call."""
    layer = config.stack[call.layer]
    for reference in call.sources:
        _check_output(config, reference, found, _keys(config, call.layer, "inbound_nodes"))
    coming = [found.shape(reference) for reference in call.sources]
    with _located(config, call, found):
        if not layer.takes_several:
            return _single(call, layer, coming, found)
        known = tuple(shape for shape in coming if shape is not None)
        merged = known if len(known) == len(coming) else None
        found.inputs.setdefault(call.layer, merged)
        return None if merged is None else layer.output_shapes(merged)  # type: ignore[arg-type]


def _single(
    call: Call, layer: ModuleConfig, coming: Sequence[Shape | None], found: Flow
) -> tuple[Shape | None, ...] | None:
    """The outputs of a layer with one input, which initial states may follow."""
    first, *states = coming
    declared = layer.declared_input()
    shape = declared if first is None else first if declared is None else shapes.merge(declared, first)
    if shape is None and declared is not None:
        raise ShapeError(f"it declares the input shape {format_shape(declared)}")
    first_call: Any = found.inputs.setdefault(call.layer, shape)  # one shape, as the layer takes no several inputs
    if shape is None:
        return None
    outputs = layer.output_shapes(shape)
    layer.check_input(shape)
    if first_call is not None and _differ(layer.fixed_sizes(first_call), layer.fixed_sizes(shape)):
        raise ShapeError(f"its weights are for {format_shape(first_call)}, the input of its first call")
    _check_states(layer.state_shapes(shape), states)
    return outputs


def _differ(sizes: Sequence[int | None], others: Sequence[int | None]) -> bool:
    """Whether sizes differ that are both known."""
    if len(sizes) != len(others):
        return True
    return any(None not in pair and len(set(pair)) > 1 for pair in zip(sizes, others, strict=True))


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


@contextmanager
def _located(config: GraphConfig, call: Call, found: Flow) -> Iterator[None]:
    """Says of an error in which call it is, and what that takes; a layer with several inputs has told their shapes."""
    try:
        yield
    except (ShapeError, StateError, MaskError) as error:
        taken = [(reference.name, found.shape(reference)) for reference in call.sources]
        told = config.stack[call.layer].takes_several
        words = [f"'{name}'" + ("" if told or shape is None else f" {format_shape(shape)}") for name, shape in taken]
        text = "; it takes " + ", ".join(words)
        raise error.mapped(
            lambda problem: replace(problem, message=f"'{call.name}': {problem.message}{text}").under(
                *_keys(config, call.layer)
            )
        ) from None
