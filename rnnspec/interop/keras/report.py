"""What was read from a file of Keras, what was decided, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnspec.interop.keras.texts import legible

__all__ = ["Report", "add_once"]


@dataclass
class Report:
    """What `from_keras` read and decided.

    Attributes:
        path: The file with the architecture.
        kind: What it is, in words.
        weights_path: The file with the weights, often the same; None where they were not read.
        keras_version: The version that decides what a name means; None where nothing needed one.
        version_source: Where the version comes from, in words.
        backend: The backend that wrote the weights, where the file tells.
        layout: How the weights lie in their file, in words.
        hard_sigmoid: What `hard_sigmoid` means in this file; None if no layer uses it.
        decisions: What was decided, one line each.
        defaults: Arguments that the file does not give, with the writer's default, one line each.
        left_out: What is in the file and not in the model, one line each.
        weights: Number of arrays that were read, and of numbers in them.
        difference: Largest difference between the built model and the plain step loop on a random input; None if it was
            not tried.
        check: What the self-check did, in words.
    """

    path: str
    kind: str
    weights_path: str | None = None
    keras_version: str | None = None
    version_source: str = ""
    backend: str | None = None
    layout: str = ""
    hard_sigmoid: str | None = None
    decisions: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    weights: tuple[int, int] = (0, 0)
    difference: float | None = None
    check: str = ""

    def decide(self, line: str) -> None:
        """Adds a decision, once."""
        add_once(self.decisions, line)

    def default(self, line: str) -> None:
        """Adds a default that was taken, once."""
        add_once(self.defaults, line)

    def leave_out(self, line: str) -> None:
        """Adds what is not in the model, once."""
        add_once(self.left_out, line)

    def lines(self) -> list[str]:
        """The report as lines of text."""
        version = "not needed" if self.keras_version is None else f"{self.keras_version}, {self.version_source}"
        arrays, numbers = self.weights
        weights = f"{self.weights_path}, {self.layout}, {arrays} arrays, {numbers} numbers"
        facts = [
            f"file: {self.path}, {self.kind}",
            f"weights: {weights if self.weights_path else 'in another file'}",
            f"Keras version: {version}",
            *([f"backend: {self.backend}"] if self.backend else []),
            *([f"hard_sigmoid: {self.hard_sigmoid}"] if self.hard_sigmoid else []),
            *([f"self-check: {self.check}"] if self.check else []),
        ]
        named = {"decided": self.decisions, "taken as default": self.defaults, "left out": self.left_out}
        lines = facts + [f"{name}: {line}" for name, lines in named.items() for line in lines]
        return [legible(line) for line in lines]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def add_once(lines: list[str], line: str) -> None:
    """Adds a line that is not there yet."""
    if line not in lines:
        lines.append(line)
