"""Times several runs side by side: rounds in which each has its turn, so that a slow moment meets all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Summary", "Timings", "exponent", "interleaved", "ratio", "summary"]

Timings = dict[str, list[float]]
MIN_ROUNDS, MAX_ROUNDS = 5, 400
# A turn takes at least this many seconds, in which a short call is repeated.
TURN = 0.01


class Summary(NamedTuple):
    """A median with its quartiles."""

    median: float
    q1: float
    q3: float


def clock_of(threads: int) -> Callable[[], float]:
    """The clock for a number of threads: the thread's own CPU time for one, which other processes do not disturb."""
    return time.thread_time if threads == 1 else time.perf_counter


def interleaved(
    runs: Mapping[str, Callable[[], object]],
    clock: Callable[[], float],
    seconds: float,
    *,
    wall: Callable[[], float] = time.perf_counter,
) -> Timings:
    """Measures all runs in rounds.

    Args:
        runs: What to call, by name.
        clock: What a call's time is read from.
        seconds: How long to go on; at least five rounds are made, whatever they take.
        wall: What tells how long it has gone on (default the wall clock).

    Returns:
        The seconds of one call, for each run one number a round.
    """

    def turn(run: Callable[[], object], calls: int) -> float:
        start = clock()
        for _ in range(calls):
            run()
        return (clock() - start) / calls

    # The first call warms up and does not count.
    calls = {name: _repeats(min(turn(run, 1) for _ in range(3))) for name, run in runs.items()}
    found: Timings = {name: [] for name in runs}
    end, rounds, collects = wall() + seconds, 0, gc.isenabled()
    gc.disable()
    try:
        while rounds < MIN_ROUNDS or (rounds < MAX_ROUNDS and wall() < end):
            for name, run in runs.items():
                found[name].append(turn(run, calls[name]))
            rounds += 1
    finally:
        if collects:
            gc.enable()
    return found


def _repeats(seconds: float) -> int:
    """How many calls fill a turn; a clock too coarse to see one call gives a thousand."""
    return max(1, min(1000, int(TURN / seconds))) if seconds > 0 else 1000


def summary(values: Sequence[float]) -> Summary:
    """The median and the quartiles, which are values that were measured.

    Args:
        values: At least one.

    Returns:
        The three of them.
    """
    ordered = sorted(values)
    return Summary(statistics.median(ordered), ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4])


def ratio(own: Sequence[float], other: Sequence[float]) -> Summary:
    """Summary of the rounds' ratios.

    Args:
        own: Seconds, one a round.
        other: Seconds in the same rounds.

    Returns:
        Of own / other: below 1 is faster than the other.
    """
    # A clock that stood still tells nothing of that round.
    return summary([a / b for a, b in zip(own, other, strict=True) if b > 0] or [float("nan")])


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The power with which time grows with a size: the slope of a line through the logarithms.

    Args:
        sizes: At least two different ones.
        seconds: The time at each.

    Returns:
        1 where time is proportional to the size.
    """
    from math import log

    return statistics.linear_regression([log(s) for s in sizes], [log(s) for s in seconds]).slope
