"""The command line: the same engine calls as the window.

Qt is imported only where a window or a picture is asked for.

Exit status: 0 done, 1 failed with one sentence on stderr, 2 wrong usage, 130 stopped with Ctrl-C,
141 nobody reads what it prints.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from engine import __version__
from engine.errors import UserError

COMMANDS = {
    "demo": "pictures and files of one whole job, also without a display",
    "info": "what is in a morphology file",
    "schedule": "which thread eliminates which compartment at which step, in numbers",
    "run": "run an experiment and write its traces, spikes and recipe",
    "screenshot": "a picture of the window on a cell, also without a display",
    "spike-lab": "how many synapses make a neuron fire, by where they sit",
    "train": "train a network of dendritic neurons on images",
    "robustness": "how often networks still answer right when their images are disturbed",
    "bench": "time of a step beside other simulators, and of the tree solve by every schedule",
    "gpu-check": "whether this machine's GPU gives the processor's numbers",
}
"""Name and summary; the module of that name in this package is imported when it is called."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, execute, and turn what a person can mend into one sentence; gives the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and words[0] in COMMANDS:
            status = execute(words[0], words[1:])
            sys.stdout.flush()  # here, where a reader that has gone is understood
            return status
        parser = window_parser()
        word = words[0] if words and words[0].isalpha() else ""
        if (near := get_close_matches(word, COMMANDS, 1)) and not Path(word).exists():
            parser.error(f"there is no command '{word}'; did you mean '{near[0]}'?")
        return open_window(parser.parse_args(words))
    except UserError as error:
        print(f"dendview: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # as 'head' does when it has enough; there is nothing to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"dendview: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dendview: stopped", file=sys.stderr)
        return 130


def execute(command: str, words: Sequence[str]) -> int:
    """Run one subcommand."""
    module = importlib.import_module(f"dendview.cli.{command.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"dendview {command}", description=COMMANDS[command])
    module.add_arguments(parser)
    return int(module.execute(parser.parse_args(words)) or 0)


def window_parser() -> argparse.ArgumentParser:
    """The parser of ``dendview [PATH]``."""
    commands = "\n".join(f"  {name:<12}{summary}" for name, summary in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="dendview",
        description="Look at, question and run detailed neurons.",
        epilog=f"commands (dendview COMMAND --help tells more):\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "path", nargs="?", help="morphology (SWC or ASC, .gz too) or sample:NAME to open"
    )
    parser.add_argument(
        "--perspective",
        choices=("explore", "schedule", "simulate", "spike_lab", "training"),
        help="perspective to start in",
    )
    parser.add_argument(
        "--smoke", action="store_true", help="open, draw once and quit: a check of the installation"
    )
    parser.add_argument("--version", action="version", version=f"dendview {__version__}")
    return parser


def open_window(args: argparse.Namespace) -> int:
    """Open the window; refuses in one sentence where there is no display (Qt would abort)."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise UserError(
            "there is no display to open a window on; "
            "run 'dendview demo --out DIR' for pictures and files instead"
        )
    from dendview.app import run as run_window

    return run_window(args.path, perspective=args.perspective, smoke=args.smoke)
