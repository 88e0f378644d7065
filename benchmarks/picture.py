"""Two pictures of the results: the ratio to each peer by shape, and how time grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Row
from benchmarks.shapes import CELLS

__all__ = ["growth_picture", "ratio_picture"]

PHASES = ("training", "inference")
COLOURS = {"torch.nn": "C0", "Keras 3 on torch": "C3", "steps": "C2", "compiled steps": "C4"}


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
    """Our time / a peer's by shape: a row of axes for each cell, with the quartiles as bars.

    Args:
        rows: All results.
        machine: What describes the machine.
        path: Where the PNG is written.
    """
    peers = [row for row in rows if row.table == "peers" and row.run != "own"]
    cells = [cell for cell in CELLS if any(row.cell == cell for row in peers)]
    if not peers:
        return
    made, axes = figure(len(cells), 2, "rnnspec's time / the other's: below 1 is faster", machine)
    for line, cell in enumerate(cells):
        for column, phase in enumerate(PHASES):
            axis = axes[line][column]
            _ratios(axis, [row for row in peers if (row.cell, row.phase) == (cell, phase)])
            axis.set_title(f"{cell}, {phase}", fontsize=10)
    handles, labels = axes[0][0].get_legend_handles_labels()
    made.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    made.savefig(path, dpi=120)


def _ratios(axis: Any, rows: Iterable[Row]) -> None:
    """One pair of axes: shapes from left to right, peers and threads side by side."""
    rows = list(rows)
    shapes = [*dict.fromkeys(_shape(row) for row in rows)]
    series = [*dict.fromkeys((row.run, row.threads) for row in rows)]
    for index, (run, threads) in enumerate(series):
        own = [row for row in rows if (row.run, row.threads) == (run, threads)]
        places = [shapes.index(_shape(row)) + 0.6 * ((index + 0.5) / len(series) - 0.5) for row in own]
        middle = [row.ratio for row in own]
        spread = [[row.ratio - row.ratio_q1 for row in own], [row.ratio_q3 - row.ratio for row in own]]
        axis.errorbar(
            places, middle, spread, fmt="o", markersize=5, color=COLOURS.get(run, "C5"), capsize=2,
            fillstyle="full" if threads == 1 else "none", label=f"{run}, {threads} thread{'s' * (threads > 1)}",
        )  # fmt: skip
    axis.axhline(1, color="black", linewidth=0.8)
    axis.set_yscale("log")
    _plain_numbers(axis)
    axis.set_xticks(range(len(shapes)), shapes, fontsize=7)
    axis.grid(axis="y", which="both", alpha=0.25)


def _shape(row: Row) -> str:
    """A shape in two lines: batch x time, then features x units."""
    return f"{row.batch}x{row.time}\n{row.features}x{row.units}"


def _plain_numbers(axis: Any) -> None:
    """0.5 in place of 5 x 10^-1; the lines between decades get numbers only where the range is short."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    plain = FuncFormatter(lambda value, _: f"{value:g}")
    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 1000 else (1,)))
    axis.yaxis.set_major_formatter(plain)
    axis.yaxis.set_minor_formatter(NullFormatter())


def growth_picture(rows: Sequence[Row], machine: Mapping[str, Any], exponents: Mapping[str, float], path: Path) -> None:
    """Milliseconds of a call along each size that grows, on logarithmic axes.

    Args:
        rows: All results.
        machine: What describes the machine.
        exponents: The powers that the program found, by `size, run, phase, threads`.
        path: Where the PNG is written.
    """
    grown = [row for row in rows if row.table.startswith("growth")]
    sizes = [*dict.fromkeys(row.table.partition(" ")[2] for row in grown)]
    if not grown:
        return
    made, axes = figure(
        1, len(sizes), "LSTM: milliseconds of a call, and the power of the size they grow with", machine
    )
    made.set_figheight(6)
    for axis, size in zip(axes[0], sizes, strict=True):
        here = [row for row in grown if row.table == f"growth {size}"]
        # A legend of lines under each picture: the powers differ.
        for run, phase, threads in dict.fromkeys((row.run, row.phase, row.threads) for row in here):
            line = [row for row in here if (row.run, row.phase, row.threads) == (run, phase, threads)]
            power = exponents.get(f"{size}, {run}, {phase}, {threads}")
            label = f"{run}, {phase}, {threads} thread{'s' * (threads > 1)}"
            label += "" if power is None else f", power {power:.2f}"
            axis.plot(
                [getattr(row, size) for row in line], [row.ms for row in line], marker="o",
                label=label, color="C1" if run == "own" else "C0", markersize=4,
                linestyle="-" if phase == "training" else "--", fillstyle="full" if threads == 1 else "none",
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel=size)
        axis.grid(which="both", alpha=0.25)
        axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.17), frameon=False)
    made.savefig(path, dpi=120)
