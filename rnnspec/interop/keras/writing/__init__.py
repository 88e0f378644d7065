"""Models of ours as files that Keras 3 opens, written without Keras."""
