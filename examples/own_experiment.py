"""Your own experiment: the model from a YAML file, the training loop plain torch, no Lightning.

python examples/own_experiment.py
"""

from pathlib import Path

import torch

import rnnspec
from rnnspec.experiment.batches import batches
from rnnspec.experiment.data import read_data
from rnnspec.experiment.series import Series

FILE = Path(__file__).with_name("japanese_vowels.yaml")


def accuracy(model: torch.nn.Module, series: Series) -> float:
    """Share of the sequences whose class the model gets right."""
    model.eval()
    with torch.no_grad():
        right = sum((model(x, mask=mask).argmax(-1) == y).sum().item() for x, mask, y in batches(series, 64))
    return right / len(series)


def main(epochs: int = 15) -> float:
    """Trains, and returns the accuracy on the test split."""
    config = rnnspec.load(FILE, overrides={"model.0.Bidirectional.layer.GRU.recurrent_dropout": 0.2})
    data = read_data(config).standardized()
    model = rnnspec.build(config, device="cpu", seed=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    torch.manual_seed(1)
    loader = batches(data.train, 32, shuffle_seed=1)
    for epoch in range(1, epochs + 1):
        model.train()
        for x, mask, y in loader:
            loss = torch.nn.functional.cross_entropy(model(x, mask=mask), y)
            loss = loss + sum(model.losses)  # regularizers, if the file has any
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()  # constraints, if the file has any, are applied by this step
        print(f"epoch {epoch:2}  loss of the last batch {loss.item():.4f}")
    found = accuracy(model, data.test)
    print(f"test accuracy {found:.4f}")
    return found


if __name__ == "__main__":
    main()
