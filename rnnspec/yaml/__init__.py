"""Text and plain data: a YAML file becomes dicts and lists with a position for every value, and back.

Knows nothing of torch or of the config classes; only `load` joins both.
"""
