"""Recurrences on tensors, and the plan that chooses between the engines. Knows nothing of configs or YAML."""
