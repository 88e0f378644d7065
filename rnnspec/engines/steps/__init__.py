"""The plain loop over time in torch operations: the readable definition of what is right. It runs every cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.engines.steps import sequence
from rnnspec.engines.steps.stream import Stream

__all__ = ["Steps"]


class Steps:
    """The engine `steps`."""

    name = "steps"
    strength = "it runs every cell on every device"

    def refuses(self, request: Request) -> str | None:
        """Never refuses."""
        return None

    def settings(self, request: Request) -> Mapping[str, Any]:
        """The distance of checkpoints where they are asked for, 0 where everything is kept nevertheless."""
        return {"checkpoint_every": sequence.checkpoint_every(request)} if request.checkpoint_every else {}

    def run(self, request: Request, tensors: Tensors) -> Result:
        """Runs the loop."""
        return sequence.run(request, tensors)

    def stream(self, request: Request, tensors: Tensors) -> Stream:
        """A stream through the loop."""
        return Stream(request, tensors)
