"""Where masks go in a model, and who sees what a layer gives at masked steps: where Keras 3 differs, that decides."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rnnspec.config.sequence import RecurrentConfig
from rnnspec.config.wrappers import BidirectionalConfig
from rnnspec.interop.keras.writing.pieces import Piece

__all__ = ["follow", "look_ahead"]

STEPWISE = {
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "LayerNormalization",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "SpatialDropout1D",
    "ThresholdedReLU",
    "TimeDistributed",
}
"""Layers whose output at a step comes from that step alone, and that hand the mask on."""


def follow(pieces: Sequence[Piece], outer: Piece) -> None:
    """Follows the mask through a list of layers.

    Args:
        pieces: The layers; what is found is noted in them.
        outer: The model that they make.
    """
    mask: bool | None = outer.masked
    for piece in pieces:
        piece.masked = mask is not False
        mask = piece.config.output_mask(mask) if piece.config.supports_masking else False
    after = [[index + 1] for index in range(len(pieces) - 1)]
    look_ahead(pieces, [*after, []], {len(pieces) - 1}, outer)


def look_ahead(pieces: Sequence[Piece], after: Sequence[Sequence[int]], last: Collection[int], outer: Piece) -> None:
    """Notes for every layer whether its mask is used after it, and whether its outputs at masked steps are seen.

    Args:
        pieces: The layers.
        after: For each of them, which ones take what it gives.
        last: Which of them give outputs of the model.
        outer: The model that they make.
    """
    changed = True
    while changed:  # more than once where a layer is called again with what came from it
        changed = False
        for index in reversed(range(len(pieces))):
            piece, takers = pieces[index], [pieces[taker] for taker in after[index]]
            mask = (index in last and outer.mask_seen) or any(_uses_mask(taker) for taker in takers)
            steps = (index in last and outer.steps_seen) or any(_sees_steps(taker) for taker in takers)
            changed |= (mask, steps) != (piece.mask_seen, piece.steps_seen)
            piece.mask_seen, piece.steps_seen = mask, steps


def _stops_at_mask(piece: Piece) -> bool:
    """Whether a layer with a mask takes nothing from masked steps."""
    config = piece.config.inner if isinstance(piece.config, BidirectionalConfig) else piece.config
    return piece.masked and (isinstance(config, RecurrentConfig) or config.identifier == "GlobalAveragePooling1D")


def _uses_mask(piece: Piece) -> bool:
    return piece.mask_seen if piece.config.identifier in STEPWISE else piece.masked


def _sees_steps(piece: Piece) -> bool:
    return piece.steps_seen if piece.config.identifier in STEPWISE else not _stops_at_mask(piece)
