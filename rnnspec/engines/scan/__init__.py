"""One loop over time for every length, for graphs that torch.compile and torch.export trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.torch_version import TorchVersion

from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.engines.scan import sequence
from rnnspec.engines.steps.stream import Stream

__all__ = ["Scan"]

# https://github.com/pytorch/pytorch/issues/184528: the gradients of weights that the body reads are wrong there.
TORCH_IS_OLD = TorchVersion(torch.__version__) < "2.13"


class Scan:
    """The engine `scan`."""

    name = "scan"
    strength = "torch.compile or torch.export traces it, and one graph then serves every length"

    def refuses(self, request: Request) -> str | None:
        """Refuses what no graph is made of."""
        if not request.traced:
            return "the call is neither compiled nor exported"
        if TORCH_IS_OLD:
            return "the scan of a torch before 2.13 has wrong gradients"
        if request.timesteps == 0:
            return "there are no timesteps"
        return None

    def settings(self, request: Request) -> Mapping[str, Any]:
        """There are none; a request for checkpoints is answered with 0, because everything is kept."""
        return {"checkpoint_every": 0} if request.checkpoint_every else {}

    def run(self, request: Request, tensors: Tensors) -> Result:
        """Runs the scan."""
        return sequence.run(request, tensors)

    def stream(self, request: Request, tensors: Tensors) -> Stream:
        """That of the engine `steps`: a stream is not traced."""
        return Stream(request, tensors)
