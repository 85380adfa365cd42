"""``dendview``: the window, or one of the subcommands that do the same work without it."""

import sys

from dendview.cli import main

if __name__ == "__main__":
    sys.exit(main())
