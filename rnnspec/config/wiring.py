"""How the layers of a graph hang together: which tensors each call takes, and in which order the calls run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import count, islice

from rnnspec.config.checks import Reference
from rnnspec.config.module import ModuleConfig
from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.registry import did_you_mean, snake_case

MANY = 100
"""As many mistakes of a graph are told, and as many names in hints."""

__all__ = ["Call", "Wiring", "name_problems", "names_of", "wire"]


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        layer: The layer's index.
        name: Its name.
        node: Which of its calls this is.
        sources: The tensors that it takes.
    """

    layer: int
    name: str
    node: int
    sources: tuple[Reference, ...]


@dataclass(frozen=True)
class Wiring:
    """A graph whose names are all found.

    Attributes:
        names: The names of the layers.
        inputs: The names of the inputs, in order.
        calls: The calls, each after those whose outputs it takes.
        outputs: The tensors that leave the graph, in order.
    """

    names: tuple[str, ...]
    inputs: tuple[str, ...]
    calls: tuple[Call, ...]
    outputs: tuple[Reference, ...]

    @cached_property
    def places(self) -> dict[str, int]:
        """The index of each layer by its name."""
        return {name: index for index, name in enumerate(self.names)}


def wire(
    layers: Sequence[ModuleConfig],
    names: Sequence[str],
    input_layers: Sequence[Reference],
    output_layers: Sequence[Reference],
) -> Wiring:
    """Finds what every layer takes.

    A layer that does not say it takes the output of the one before; the first layer takes the only input. Inputs that
    are no layers of the graph are there by their name alone.

    Args:
        layers: The layers.
        names: Their names, all different.
        input_layers: The inputs; none stand for the `Input` layers.
        output_layers: The outputs; none stand for the last layer's.

    Returns:
        The wiring.

    Raises:
        ConfigError: If a name is not there, a layer waits for itself, or something is never used; it names all of them,
            with paths that start at the argument.
    """
    found = _Graph(layers, names, input_layers, output_layers)
    problems = [*found.input_problems(), *islice(found.source_problems(), MANY)]
    if problems:
        raise ConfigError(*problems)
    wiring = Wiring(tuple(names), found.inputs, found.sorted_calls(), found.outputs)
    if unused := found.unused(wiring):
        raise ConfigError(*unused)
    return wiring


class _Graph:
    """A graph while it is wired."""

    def __init__(
        self,
        layers: Sequence[ModuleConfig],
        names: Sequence[str],
        input_layers: Sequence[Reference],
        output_layers: Sequence[Reference],
    ) -> None:
        self.layers, self.names = layers, names
        self.declared = {name for name, layer in zip(names, layers, strict=True) if _is_input(layer)}
        self.given_inputs = bool(input_layers)
        self.inputs = tuple(name for name, _, _ in input_layers) or tuple(
            name for name in names if name in self.declared
        )
        self.given_outputs = bool(output_layers)
        self.calls = list(self._calls())
        self.count = dict.fromkeys((*self.inputs, *names), 0)
        for call in self.calls:
            self.count[call.name] += 1
        for name in self.inputs:
            self.count[name] = 1
        last = Reference(names[-1], max(self.count[names[-1]] - 1, 0))
        self.outputs = tuple(output_layers) or (last,)

    def _calls(self) -> Iterator[Call]:
        """All calls, in the order of the layers; those of inputs are none."""
        for index, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            if name in self.declared:
                continue
            for node, sources in enumerate(layer.calls or self._default(index)):
                yield Call(index, name, node, tuple(sources))

    def _default(self, index: int) -> tuple[tuple[Reference, ...], ...]:
        """What a layer takes that does not say it: nothing where that is not clear."""
        if index and self.names[index - 1] not in self.declared:
            return ((Reference(self.names[index - 1]),),)
        if len(self.inputs) == 1:
            return ((Reference(self.inputs[0]),),)
        return ((Reference(self.names[index - 1]),),) if index else ((),)

    def keys_of(self, index: int, *more: Key) -> tuple[Key, ...]:
        """The path of a layer."""
        return ("layers", index, self.layers[index].identifier, *more)

    def input_problems(self) -> Iterator[Problem]:
        """What is wrong with the inputs."""
        if not self.inputs:
            hint = "name the inputs: input_layers: x"
            yield Problem("a graph needs input_layers, or Input layers among its layers", hint=hint)
        seen: set[str] = set()
        others = set(self.names) - self.declared
        for position, name in enumerate(self.inputs):
            keys = ("input_layers", position) if self.given_inputs else ()
            if name in seen:
                yield Problem(f"the input '{name}' stands there twice", keys)
            elif name in others:
                yield Problem(f"'{name}' is a layer of the graph and no Input", keys)
            seen.add(name)
        for index, name in enumerate(self.names):
            if name in self.declared and name not in seen:
                yield Problem(f"the Input '{name}' is none of input_layers", self.keys_of(index))
            if name in self.declared and self.layers[index].inbound_nodes:
                yield Problem(f"the Input '{name}' takes nothing", self.keys_of(index, "inbound_nodes"))

    def source_problems(self) -> Iterator[Problem]:
        """References to what is not there."""
        for call in self.calls:
            said = bool(self.layers[call.layer].inbound_nodes)
            keys = self.keys_of(call.layer, "inbound_nodes") if said else self.keys_of(call.layer)
            if not call.sources and self.inputs:
                others = islice((name for name in self.count if name != call.name), MANY)
                hint = f"inbound_nodes: one of {', '.join(others)}"
                yield Problem(f"'{call.name}' does not say what it takes", keys, hint=hint)
            for reference in call.sources:
                yield from self._missing(reference, keys)
        for position, reference in enumerate(self.outputs):
            yield from self._missing(reference, ("output_layers", position) if self.given_outputs else ())

    def _missing(self, reference: Reference, keys: tuple[Key, ...]) -> Iterator[Problem]:
        name, node, _ = reference
        if name not in self.count:
            hint = (
                did_you_mean(name, list(self.count)) if len(self.count) <= 10 * MANY else None
            )  # it looks at them all
            yield Problem(f"there is no layer or input '{name}'", keys, hint=hint)
        elif node >= self.count[name]:
            times = "once" if self.count[name] == 1 else f"{self.count[name]} times"
            yield Problem(f"'{name}' is called {times}, found its node {node} (the first is 0)", keys)

    def sorted_calls(self) -> tuple[Call, ...]:
        """The calls, each after those whose outputs it takes; those of one layer in their order, where they can be."""
        by_node = {(call.name, call.node): call for call in self.calls}
        waits = {key: [source[:2] for source in call.sources if source[:2] in by_node] for key, call in by_node.items()}
        in_order = {
            (name, node): [*keys, *([(name, node - 1)] if node else [])] for (name, node), keys in waits.items()
        }
        try:
            return tuple(by_node[key] for key in TopologicalSorter(in_order).static_order())
        except CycleError:
            pass
        try:
            return tuple(by_node[key] for key in TopologicalSorter(waits).static_order())
        except CycleError as error:
            cycle = list(reversed(error.args[1]))
            text = " -> ".join(name for name, _ in cycle)
            first = min(by_node[key].layer for key in cycle)
            raise ConfigError(
                Problem(f"layers wait for each other: {text}", self.keys_of(first, "inbound_nodes"))
            ) from None

    def unused(self, wiring: Wiring) -> list[Problem]:
        """Layers, calls of layers and inputs that no output depends on."""
        needed: set[tuple[str, int]] = {reference[:2] for reference in wiring.outputs}
        for call in reversed(wiring.calls):
            if (call.name, call.node) in needed:
                needed |= {source[:2] for source in call.sources}
        hint = "take it into a layer's inbound_nodes or into output_layers, or leave it out"
        problems = [
            Problem(f"the output of '{call.name}' is never used", self.keys_of(call.layer), hint=hint)
            for call in sorted(wiring.calls, key=lambda call: (call.layer, call.node))
            if (call.name, call.node) not in needed
        ]
        taken = {source[0] for call in wiring.calls for source in call.sources}
        for position, name in enumerate(wiring.inputs):
            if (name, 0) not in needed and name not in taken:
                keys = ("input_layers", position) if self.given_inputs else self.keys_of(self.names.index(name))
                problems.append(Problem(f"the input '{name}' is never used", keys))
        return problems


def _is_input(layer: ModuleConfig) -> bool:
    return layer.identifier == "Input"


def names_of(layers: Sequence[ModuleConfig], others: Iterable[str] = ()) -> list[str]:
    """Names of the layers; those without one are numbered by kind, from 1, as in Keras: `simple_rnn_1`.

    Args:
        layers: The layers of a model.
        others: Further names that are taken.

    Returns:
        A name for each.
    """
    taken = {*others, *(layer.name for layer in layers)}
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))
    names = []
    for layer in layers:
        name = layer.name
        if name is None:
            kind = snake_case(layer.identifier)
            name = next(f"{kind}_{number}" for number in numbers[kind] if f"{kind}_{number}" not in taken)
        names.append(name)
    return names


def name_problems(layers: Sequence[ModuleConfig]) -> list[Problem]:
    """Names that several layers of a model have; the paths start at `layers`."""
    problems = []
    first_with: dict[str, int] = {}
    for index, layer in enumerate(layers):
        if layer.name is not None and first_with.setdefault(layer.name, index) != index:
            message = (
                f"name must differ from layer to layer, found '{layer.name}' at layer {first_with[layer.name]} too"
            )
            problems.append(Problem(message, ("layers", index, layer.identifier, "name")))
    return problems
