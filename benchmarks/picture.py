"""Two pictures of the results: the ratio to each peer by shape, and how time grows."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import COMPILED, KERAS, OWN, STEPS, TORCH
from benchmarks.report import Group, Row, exponents, overall
from benchmarks.shapes import CELLS, Shape

__all__ = ["growth_picture", "ratio_picture"]

PHASES = ("training", "inference")
COLOURS = {TORCH: "C0", KERAS: "C3", STEPS: "C2", COMPILED: "C4"}


def caption(machine: Mapping[str, Any]) -> str:
    """Where and when it was measured, in one line."""
    keras = f", keras {machine['keras']}" if machine["keras"] else ""
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['date'][:10]}, "
        f"rnnspec {machine['rnnspec']}, torch {machine['torch']}{keras}"
    )


def figure(rows: int, columns: int, title: str, machine: Mapping[str, Any]) -> tuple[Any, Any]:
    """An empty figure without a window, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(5.2 * columns, 3 * rows + 0.8), layout="constrained")
    FigureCanvasAgg(made)
    made.suptitle(f"{title}\n{caption(machine)}", fontsize=10)
    return made, made.subplots(rows, columns, squeeze=False)


def ratio_picture(rows: Sequence[Row], machine: Mapping[str, Any], path: Path) -> None:
    """Our time / a peer's by shape: a row of axes for each cell, with the quartiles of all passes as bars.

    Args:
        rows: All results.
        machine: What describes the machine.
        path: Where the PNG is written.
    """
    peers = [row for row in rows if row.table == "peers" and row.run != OWN]
    cells = [cell for cell in CELLS if any(row.cell == cell for row in peers)]
    if not peers:
        return
    made, axes = figure(len(cells), 2, "rnnspec's time / the other's: below 1 is faster", machine)
    low, high = min(row.ratio_q1 for row in peers), max(row.ratio_q3 for row in peers)
    for line, cell in enumerate(cells):
        for column, phase in enumerate(PHASES):
            axis = axes[line][column]
            here = [row for row in peers if (row.cell, row.phase) == (cell, phase)]
            axis.set_yscale("log")
            axis.set_ylim(0.8 * low, 1.25 * max(high, 1))
            _ratios(axis, here)
            axis.set_title(f"{cell}, {phase}{_means(here)}", fontsize=9)
    handles, labels = axes[0][0].get_legend_handles_labels()
    made.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    made.savefig(path, dpi=120)


def _means(rows: Iterable[Row]) -> str:
    """The geometric means beside torch.nn, in words."""
    means = {group.threads: found.mean for group, found in overall(rows).items() if group.run == TORCH}
    numbers, threads = (", ".join(map(str, part)) for part in ([f"{mean:.2f}" for mean in means.values()], means))
    return f": on average {numbers} of {TORCH}'s ({threads} threads)" if means else ""


def _ratios(axis: Any, rows: Iterable[Row]) -> None:
    """One pair of axes: shapes from left to right, peers and threads side by side."""
    rows = list(rows)
    shapes = [*dict.fromkeys(row.shape for row in rows)]
    series = sorted({(row.run, row.threads) for row in rows}, key=lambda pair: ([*COLOURS].index(pair[0]), pair[1]))
    for index, (run, threads) in enumerate(series):
        # All passes of a shape make one dot.
        dots = [
            (place, [row for row in rows if (row.shape, row.run, row.threads) == (shape, run, threads)])
            for place, shape in enumerate(shapes)
        ]
        dots = [(place, found) for place, found in dots if found]
        middle = [statistics.median(row.ratio for row in found) for _, found in dots]
        low = [min(row.ratio_q1 for row in found) for _, found in dots]
        high = [max(row.ratio_q3 for row in found) for _, found in dots]
        axis.errorbar(
            [place + 0.7 * ((index + 0.5) / len(series) - 0.5) for place, _ in dots], middle,
            [[m - q for m, q in zip(middle, low, strict=True)], [q - m for m, q in zip(middle, high, strict=True)]],
            fmt="o", markersize=5, color=COLOURS[run], capsize=2, linewidth=1,
            fillstyle="full" if threads == 1 else "none", label=f"{run}, {threads} thread{'s' * (threads > 1)}",
        )  # fmt: skip
    axis.axhline(1, color="black", linewidth=0.8)
    for border in range(1, len(shapes)):
        axis.axvline(border - 0.5, color="black", alpha=0.15, linewidth=0.8)
    _plain_numbers(axis)
    axis.set_xticks(range(len(shapes)), [_words(shape) for shape in shapes], fontsize=7)
    axis.set_xlim(-0.5, len(shapes) - 0.5)
    axis.grid(axis="y", which="both", alpha=0.25)


def _words(shape: Shape) -> str:
    """A shape in two lines: batch x time, then features x units."""
    return f"{shape.batch}x{shape.time}\n{shape.features}x{shape.units}"


def _plain_numbers(axis: Any) -> None:
    """0.5 in place of 5 x 10^-1; the lines between decades get numbers only where the range is short."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    plain = FuncFormatter(lambda value, _: f"{value:g}")
    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 1000 else (1,)))
    axis.yaxis.set_major_formatter(plain)
    axis.yaxis.set_minor_formatter(NullFormatter())


def growth_picture(rows: Sequence[Row], machine: Mapping[str, Any], path: Path) -> None:
    """Milliseconds of a call along each size that grows, on logarithmic axes.

    Args:
        rows: All results.
        machine: What describes the machine.
        path: Where the PNG is written.
    """
    grown = [row for row in rows if row.table.startswith("growth")]
    sizes = [*dict.fromkeys(row.table.partition(" ")[2] for row in grown)]
    if not grown:
        return
    powers = exponents(grown)
    made, axes = figure(
        1, len(sizes), "LSTM: milliseconds of a call, and the power of the size they grow with", machine
    )
    made.set_figheight(6)
    for axis, size in zip(axes[0], sizes, strict=True):
        here = [row for row in grown if row.table == f"growth {size}"]
        # A legend of lines under each picture: the powers differ.
        for run, phase, threads in dict.fromkeys((row.run, row.phase, row.threads) for row in here):
            line = [row for row in here if (row.run, row.phase, row.threads) == (run, phase, threads)]
            power = powers.get(Group(f"growth {size}", "LSTM", phase, threads, run))
            label = f"{run}, {phase}, {threads} thread{'s' * (threads > 1)}"
            label += "" if power is None else f", power {power:.2f}"
            axis.plot(
                [getattr(row, size) for row in line], [row.ms for row in line], marker="o",
                label=label, color="C1" if run == OWN else "C0", markersize=4,
                linestyle="-" if phase == "training" else "--", fillstyle="full" if threads == 1 else "none",
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel=size)
        axis.grid(which="both", alpha=0.25)
        axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.17), frameon=False)
    made.savefig(path, dpi=120)
