"""From the arrays that a version of Keras keeps for a layer to ours, in the order of `set_weights`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnspec.errors import Problem, WeightsError
from rnnspec.interop.keras.hdf5 import Array
from rnnspec.interop.keras.parts import GATES, Part
from rnnspec.interop.keras.report import Report

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[Any]

__all__ = ["Layouts"]

# Keras 1 keeps W, U and b of one gate after another; where each gate's columns stand since.
FIRST_ORDER = {"LSTM": (0, 2, 1, 3), "GRU": (0, 1, 2)}


class Layouts:
    """Reads the arrays of layers.

    Args:
        backend: The backend that wrote them, or None.
        report: Where decisions are noted.
    """

    def __init__(self, backend: str | None, report: Report) -> None:
        self.backend = backend
        self.report = report

    def weights(self, part: Part, arrays: Sequence[Array]) -> list[Numbers]:
        """The weights of a layer in our order.

        Args:
            part: The layer.
            arrays: Its arrays in Keras's order.

        Returns:
            One array a weight.

        Raises:
            WeightsError: If they are not such a layer's.
        """
        if part.tag == "Bidirectional":
            half = len(arrays) // 2
            return [
                weight for share in (arrays[:half], arrays[half:]) for weight in self.weights(part.inside[0], share)
            ]
        if part.tag == "TimeDistributed":
            return self.weights(part.inside[0], arrays)
        if part.tag in GATES:
            return self._recurrent(part, arrays)
        numbers = [array.read() for array in arrays]
        return self._convolution(part, numbers) if part.tag == "Conv1D" else numbers

    def _recurrent(self, part: Part, arrays: Sequence[Array]) -> list[Numbers]:
        gates = GATES[part.tag]
        if gates > 1 and len(arrays) == 3 * gates:
            self.report.decide(f"{part.label}: {len(arrays)} arrays, three a gate, as Keras 1 keeps them")
            return self._by_gate(part, arrays)
        numbers = [array.read() for array in arrays]
        units = part.arguments.get("units")
        if gates > 1 and len(numbers) == 3 and numbers[2].shape == (2 * gates * int(units or 0),):
            self.report.decide(f"{part.label}: weights in cuDNN's layout, with two biases")
            return self._from_cudnn(part, numbers, gates)
        return numbers

    def _by_gate(self, part: Part, arrays: Sequence[Array]) -> list[Numbers]:
        """Three arrays a gate become three for all."""
        numbers = [array.read() for array in arrays]
        order = FIRST_ORDER[part.tag]
        kinds = []
        for kind, rank in enumerate((2, 2, 1)):
            blocks = [numbers[3 * gate + kind] for gate in order]
            if len({block.shape for block in blocks}) != 1 or blocks[0].ndim != rank:
                shapes = ", ".join(
                    f"'{arrays[3 * gate + kind].name}' {numbers[3 * gate + kind].shape}" for gate in order
                )
                raise WeightsError(
                    Problem(f"{part.label}: the gates have different shapes: {shapes}", file=arrays[0].file)
                )
            kinds.append(np.concatenate(blocks, axis=-1))
        return kinds

    def _from_cudnn(self, part: Part, numbers: Sequence[Numbers], gates: int) -> list[Numbers]:
        """Every gate's kernels are turned; the two biases are added, or stand side by side for the GRU."""
        kernel, recurrent, bias = numbers
        if any(weight.ndim != 2 or weight.shape[1] % gates for weight in (kernel, recurrent)):
            raise WeightsError(Problem(f"{part.label}: the kernels {kernel.shape} and {recurrent.shape} have no gates"))
        kernels = [block.T.reshape(block.shape, order="F") for block in np.split(kernel, gates, axis=1)]
        recurrents = [block.T for block in np.split(recurrent, gates, axis=1)]
        both = bias.reshape(2, -1)
        return [np.hstack(kernels), np.hstack(recurrents), both if part.tag == "GRU" else both.sum(0)]

    def _convolution(self, part: Part, numbers: list[Numbers]) -> list[Numbers]:
        """A kernel of Keras 1 has four axes; one that Theano wrote is flipped along the width."""
        if not numbers:
            return numbers
        kernel = numbers[0]
        if kernel.ndim == 4:
            if kernel.shape[1] != 1:
                kernel = kernel.transpose(2, 3, 1, 0)
            if kernel.shape[1] != 1:
                return numbers
            kernel = kernel[:, 0]
        if self.backend == "theano":
            self.report.decide(f"{part.label}: its kernel is flipped along the width, as Theano's convolution has it")
            kernel = kernel[::-1]
        if part.longer_kernel:
            kernel = np.concatenate([kernel, np.zeros_like(kernel[:1])])
        return [np.ascontiguousarray(kernel), *numbers[1:]]
