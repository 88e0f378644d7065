"""Data, training and run folders: what happens around a model. It is built on PyTorch Lightning (`rnnspec[train]`)."""
