"""Tables and pictures of configs, models and runs."""
