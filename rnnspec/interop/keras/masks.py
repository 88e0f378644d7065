"""Where masks end in a Keras that lets them: our layers that cannot take one refuse it, so it is taken off before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, cast

from rnnspec.config.module import ModuleConfig
from rnnspec.config.tags import tagged_config
from rnnspec.interop.keras.parts import GATES, Part, Reference
from rnnspec.registry import LAYERS

if TYPE_CHECKING:
    from rnnspec.interop.keras.layers import LayerReader

__all__ = ["settle_masks"]


def settle_masks(model: Part, reader: LayerReader) -> None:
    """Puts Unmasking layers where Keras drops a mask: tf.keras and Keras 3 do, before layers that cannot take one.

    Keras 3 also gives no mask to a recurrent layer that is called with initial states.

    Args:
        model: The model, with all its layers.
        reader: Words errors, and knows the Keras that wrote it.

    Raises:
        ConfigError: If a layer of Keras 3 gets a mask that does not come with its input.
    """
    _Masks(reader).after(model, [False] * 9)


class _Masks:
    """Follows masks through models, from layer to layer."""

    def __init__(self, reader: LayerReader) -> None:
        self.reader = reader

    def after(self, part: Part, masks: Sequence[bool]) -> bool:
        """Whether a mask leaves a layer or model, for those that come in."""
        if part.tag == "graph":
            return self._graph(part, masks)
        if part.tag == "Sequential":
            return self._sequential(part, masks[0])
        if part.tag == "TimeDistributed" and masks[0] and self._steps_see_masks(part):
            raise self.reader.refuse(f"{part.label} gets a mask, which Keras hands to what is inside it", ())
        schema: Any = part.schema()
        arguments = {key: value for key, value in schema[part.tag].items() if key != "inbound_nodes"}
        config = cast(ModuleConfig, tagged_config({part.tag: arguments}, ModuleConfig))
        return bool(config.output_mask(list(masks) if config.takes_several else masks[0]))  # type: ignore[arg-type]

    def _sequential(self, model: Part, mask: bool) -> bool:
        inside: list[Part] = []
        for part in model.inside:
            if mask and not self._takes(part):
                inside.append(self._unmasking(f"{part.our_name}_input", part, model))
                mask = False
            inside.append(part)
            mask = self.after(part, [mask])
        model.inside = inside
        return mask

    def _graph(self, model: Part, masks: Sequence[bool]) -> bool:
        parts = {part.our_name: part for part in model.inside}
        inputs = [part.our_name for part in model.inside if part.tag == "Input"]
        known = dict(zip(((name, 0) for name in inputs), masks, strict=False))
        for name, node in _order(parts):
            part = parts[name]
            if part.tag == "Input":
                known.setdefault((name, 0), False)
                continue
            call = part.calls[node]
            coming = [known.get(source[:2], False) and source[2] == 0 for source in call]
            given = part.masked_calls[node] if node < len(part.masked_calls) else None
            if given and not coming[0]:
                message = f"{part.label} is called with a mask that does not come with its input"
                raise self.reader.refuse(message, ())
            if any(coming) and (not self._takes(part) or self._left_alone(part, call, given)):
                for index, source in enumerate(call):
                    if coming[index]:
                        call[index] = self._without(model, part, source)
                coming = [False] * len(call)
            known[name, node] = self.after(part, coming)
        ends = model.arguments["output_layers"]
        first = ends if isinstance(ends, str) else ends[0]
        name, node, tensor = (first, 0, 0) if isinstance(first, str) else first
        return known.get((name, node), False) and tensor == 0

    def _steps_see_masks(self, part: Part) -> bool:
        """Whether what is inside a TimeDistributed computes otherwise with a mask, and gets one: since Keras 2.2."""
        early = self.reader.dialect.generation == 1 or (self.reader.dialect.version or (2, 2)) < (2, 2)
        inner = [leaf.inside[0] if leaf.inside else leaf for leaf in part.inside[0].leaves()]
        return not early and any(leaf.tag in (*GATES, "GlobalAveragePooling1D") for leaf in inner)

    def _takes(self, part: Part) -> bool:
        """Whether a layer can take a mask."""
        return part.is_model or LAYERS.is_users(part.tag) or LAYERS.find(part.tag).supports_masking

    def _left_alone(self, part: Part, call: Sequence[Reference], given: bool | None) -> bool:
        """Whether Keras 3 gives a layer no mask although there is one."""
        inner = part.inside[0] if part.tag == "Bidirectional" else part
        return given is False and inner.tag in GATES and len(call) > 1

    def _without(self, model: Part, part: Part, source: Reference) -> Reference:
        """A tensor of a graph without its mask."""
        unmasking = self._unmasking(f"{source[0]}_without_mask", part, model)
        unmasking.calls = [[source]]
        model.inside.append(unmasking)
        return unmasking.our_name, 0, 0

    def _unmasking(self, name: str, part: Part, model: Part) -> Part:
        taken = {inside.our_name for inside in model.inside}
        while name in taken:
            name += "_"
        self.reader.report.decide(f"{part.label} gets no mask, as in the Keras that wrote it (Unmasking)")
        return Part("Unmasking", {"name": name}, name, "Unmasking")


def _order(parts: Mapping[str, Part]) -> list[tuple[str, int]]:
    """All calls, each after those whose outputs it takes; none if they wait for each other, which our graphs refuse."""
    waits = {
        (name, node): [source[:2] for source in call if source[0] in parts]
        for name, part in parts.items()
        for node, call in enumerate(part.calls or [[]])
    }
    try:
        return [key for key in TopologicalSorter(waits).static_order() if key in waits]
    except CycleError:
        return []
