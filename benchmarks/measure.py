"""Times several runs side by side: rounds in which each has its turn, so that a slow moment meets all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Summary", "Timings", "Turn", "clock_of", "exponent", "interleaved", "ratio", "summary", "turn_of"]

Timings = dict[str, list[float]]
MAX_ROUNDS = 400
# A turn takes at least this many seconds, in which a short call is repeated.
LEAST = 0.01


class Summary(NamedTuple):
    """A median with its quartiles."""

    median: float
    q1: float
    q3: float


class Turn(NamedTuple):
    """What a run does when its turn comes.

    Attributes:
        run: What to call.
        calls: How often, so that a turn is not too short for the clock.
    """

    run: Callable[[], object]
    calls: int

    def seconds(self, clock: Callable[[], float]) -> float:
        """Has the turn; returns the seconds of one call. Before short ones a call brings back what others drove out."""
        if self.calls > 1:
            self.run()
        start = clock()
        for _ in range(self.calls):
            self.run()
        return (clock() - start) / self.calls


def turn_of(run: Callable[[], object], clock: Callable[[], float]) -> Turn:
    """Warms a run up, which tells how often it is called in a turn.

    Args:
        run: What to call.
        clock: What a call's time is read from; one too coarse to see a call gives a thousand.

    Returns:
        The turn.
    """
    run()  # what is loaded and made by the first call of all
    once = Turn(run, 1)
    seconds = once.seconds(clock)
    # What takes long is not much faster when it is warm.
    if seconds < 20 * LEAST:
        seconds = min(once.seconds(clock) for _ in range(3))
    return Turn(run, max(1, min(1000, int(LEAST / seconds))) if seconds > 0 else 1000)


def clock_of(threads: int) -> Callable[[], float]:
    """The clock for a number of threads: the thread's own CPU time for one, which other processes do not disturb."""
    return time.thread_time if threads == 1 else time.perf_counter


def interleaved(
    runs: Mapping[str, Turn],
    clock: Callable[[], float],
    seconds: float,
    rounds: int = 5,
    *,
    wall: Callable[[], float] = time.perf_counter,
) -> Timings:
    """Measures all runs in rounds. A run leaves them once it has had its time, the first with the last of the others.

    Args:
        runs: What to call, by name.
        clock: What a call's time is read from.
        seconds: How long each run is measured.
        rounds: How many rounds each run takes part in, whatever time they take (default 5).
        wall: What tells how long it has gone on (default the wall clock).

    Returns:
        The seconds of one call, for each run one number a round: the first run's are at least as many as another's.
    """
    found: Timings = {name: [] for name in runs}
    spent = dict.fromkeys(runs, 0.0)
    first, *others = runs
    collects = gc.isenabled()
    gc.disable()
    try:
        while due := [
            name
            for name in others or [first]
            if len(found[name]) < rounds or (spent[name] < seconds and len(found[name]) < MAX_ROUNDS)
        ]:
            for name in [first, *due] if others else due:
                start = wall()
                found[name].append(runs[name].seconds(clock))
                spent[name] += wall() - start
    finally:
        if collects:
            gc.enable()
    return found


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
        other: Seconds in the same rounds, of which the first ones count where one list is longer.

    Returns:
        Of own / other: below 1 is faster than the other.
    """
    # The longer one has rounds in which the other had no turn. A clock that stood still tells nothing of that round.
    return summary([a / b for a, b in zip(own, other, strict=False) if b > 0] or [float("nan")])


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
