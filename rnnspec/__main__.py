"""`python -m rnnspec` is the command `rnnspec`."""

from __future__ import annotations

import sys

from rnnspec.cli import main

if __name__ == "__main__":
    sys.exit(main())
