"""What was written into a file for Keras 3, what was changed for it, and what stayed behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnspec.interop.keras.report import add_once

__all__ = ["WritingReport"]


@dataclass
class WritingReport:
    """What `to_keras` wrote.

    Attributes:
        path: The file.
        keras_version: The version of Keras whose words and layout it has.
        changes: What is said otherwise in the file than in the model, so that Keras 3 gives the same numbers, one line
            each.
        left_out: What is not in the file, or means something else to Keras 3 in training, one line each.
        weights: Number of arrays that were written, and of numbers in them.
        difference: Largest difference between the model and the file, read back, on a random input; None if it was not
            tried.
        check: What the self-check did, in words.
    """

    path: str
    keras_version: str
    changes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    weights: tuple[int, int] = (0, 0)
    difference: float | None = None
    check: str = ""

    def change(self, line: str) -> None:
        """Adds a change, once."""
        add_once(self.changes, line)

    def leave_out(self, line: str) -> None:
        """Adds what is not in the file, once."""
        add_once(self.left_out, line)

    def lines(self) -> list[str]:
        """The report as lines of text."""
        arrays, numbers = self.weights
        return [
            f"file: {self.path}, a .keras archive for Keras {self.keras_version}",
            f"weights: {arrays} arrays, {numbers} numbers",
            *([f"self-check: {self.check}"] if self.check else []),
            *(f"changed: {line}" for line in self.changes),
            *(f"left out: {line}" for line in self.left_out),
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())
