"""Padding and masks of batches."""

from __future__ import annotations

import numpy as np
import torch

from rnnspec.experiment.batches import batches
from rnnspec.experiment.series import Series

SERIES = Series([np.float32([[1], [2], [3]]), np.float32([[4]]), np.float32([[5], [6]])], np.array([2, 0, 1]))


def test_sequences_are_padded_at_their_end_to_the_longest_of_the_batch() -> None:
    first, second = batches(SERIES, 2)

    x, mask, y = first
    assert x.tolist() == [[[1], [2], [3]], [[4], [0], [0]]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]
    assert y.tolist() == [2, 0]
    assert (x.dtype, mask.dtype, y.dtype) == (torch.float32, torch.bool, torch.int64)
    assert second[0].shape == (1, 2, 1)


def test_without_labels_they_are_minus_one() -> None:
    ((_, _, y),) = batches(Series(SERIES.x), 3)

    assert y.tolist() == [-1, -1, -1]


def test_the_order_is_the_series_own_or_drawn_from_the_seed() -> None:
    many = Series([np.float32([[i]]) for i in range(20)], np.arange(20))

    def orders(seed: int | None) -> list[list[int]]:
        loader = batches(many, 20, shuffle_seed=seed)
        return [y.tolist() for _ in range(2) for _, _, y in loader]

    assert orders(None) == [list(range(20))] * 2
    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
    assert orders(1)[0] != orders(1)[1]
    assert sorted(orders(1)[0]) == list(range(20))


def test_batches_do_not_share_memory_with_the_series() -> None:
    for x, _, _ in batches(SERIES, 3):
        x.fill_(9)

    assert SERIES.x[1].tolist() == [[4]]


def test_a_smaller_batch_can_be_filled_up_with_rows_of_padding() -> None:
    first, second = batches(SERIES, 2, fill=True)

    assert [first[0].shape, second[0].shape] == [(2, 3, 1), (2, 2, 1)]
    assert second[0].tolist() == [[[5], [6]], [[0], [0]]]
    assert second[1].tolist() == [[True, True], [False, False]]
    assert second[2].tolist() == [1]
    ((alone, _, _),) = batches(SERIES, 5, fill=True)
    assert alone.shape == (5, 3, 1)


def test_a_smaller_batch_can_be_dropped_but_never_all() -> None:
    assert [y.tolist() for _, _, y in batches(SERIES, 2, drop_last=True)] == [[2, 0]]
    assert [y.tolist() for _, _, y in batches(SERIES, 5, drop_last=True)] == [[2, 0, 1]]


def test_classes_of_steps_are_padded_beside_their_tokens() -> None:
    tokens = Series([np.array([4, 5]), np.array([6])], [np.array([1, 2]), np.array([3])])

    ((x, mask, y),) = batches(tokens, 2)

    assert (x.tolist(), y.tolist()) == ([[4, 5], [6, 0]], [[1, 2], [3, 0]])
    assert mask.tolist() == [[True, True], [True, False]]
    assert (x.dtype, y.dtype) == (torch.int64, torch.int64)


class TestGroupedByLength:
    """20 sequences of 1 to 5 steps, four of each length, one after another."""

    many = Series([np.zeros((1 + i % 5, 1), np.float32) for i in range(20)], np.arange(20))

    def grouped(self, seed: int | None, epochs: int = 1, **how: bool) -> list[list[int]]:
        """The sequences of each batch of eight."""
        loader = batches(self.many, 8, shuffle_seed=seed, group_by_length=True, **how)
        return [y.tolist() for _ in range(epochs) for _, _, y in loader]

    def test_without_a_seed_the_batches_are_sorted(self) -> None:
        assert self.grouped(None) == [[0, 5, 10, 15, 1, 6, 11, 16], [2, 7, 12, 17, 3, 8, 13, 18], [4, 9, 14, 19]]

    def test_a_seed_draws_the_batches_and_the_sequences_of_one_length(self) -> None:
        drawn = self.grouped(1, epochs=2)
        groups = sorted(map(sorted, self.grouped(None)))  # eight sequences are those of two lengths

        assert sorted(map(sorted, drawn[:3])) == sorted(map(sorted, drawn[3:])) == groups
        assert drawn[:3] != drawn[3:]
        assert sorted(drawn[:3]) != sorted(drawn[3:])  # not the order of the batches alone
        assert drawn == self.grouped(1, epochs=2)
        assert drawn != self.grouped(2, epochs=2)

    def test_every_batch_may_come_first(self) -> None:
        assert {min(self.grouped(seed)[0]) for seed in range(9)} == {0, 2, 4}

    def test_a_smaller_batch_can_be_dropped(self) -> None:
        assert [len(batch) for batch in self.grouped(None, drop_last=True)] == [8, 8]
        assert len(batches(self.many, 8, group_by_length=True)) == 3
        assert len(batches(self.many, 8, group_by_length=True, drop_last=True)) == 2

    def test_a_grouped_batch_has_less_padding(self) -> None:
        def padding(**how: bool) -> int:
            return sum(int((~mask).sum()) for _, mask, _ in batches(self.many, 4, **how))

        assert padding() == 36
        assert padding(group_by_length=True) == 0
