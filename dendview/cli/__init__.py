"""The command line: the same engine calls as the window; Qt is imported only where a window or a picture is asked for.

Exit status: 0 done, 1 failed with one sentence on stderr, 2 wrong usage, 130 stopped with Ctrl-C.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from dendview.cli import demo, info, run, schedule, screenshot
from engine import __version__
from engine.errors import UserError

COMMANDS = {
    "demo": demo,
    "info": info,
    "schedule": schedule,
    "run": run,
    "screenshot": screenshot,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, execute, and turn what a person can mend into one sentence; gives the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = make_parser()
    try:
        if words and words[0] in COMMANDS:
            args = parser.parse_args(words)
            return int(args.execute(args) or 0)
        return open_window(window_parser().parse_args(words))
    except UserError as error:
        print(f"dendview: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"dendview: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dendview: stopped", file=sys.stderr)
        return 130


def make_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands."""
    parser = argparse.ArgumentParser(prog="dendview", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0].split(": ", 1)[-1]
        sub = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(sub)
        sub.set_defaults(execute=module.execute)
    return parser


def window_parser() -> argparse.ArgumentParser:
    """The parser of ``dendview [PATH]``."""
    commands = "\n".join(f"  {line}" for line in make_parser().format_help().splitlines() if line.startswith("    "))
    parser = argparse.ArgumentParser(
        prog="dendview",
        description="Look at, question and run detailed neurons.",
        epilog=f"commands (dendview COMMAND --help tells more):\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", nargs="?", help="morphology (SWC or ASC, .gz too) or sample:NAME to open")
    parser.add_argument("--perspective", choices=("explore", "schedule", "simulate"), help="perspective to start in")
    parser.add_argument("--smoke", action="store_true", help="open, draw once and quit: a check of the installation")
    parser.add_argument("--version", action="version", version=f"dendview {__version__}")
    return parser


def open_window(args: argparse.Namespace) -> int:
    """Open the window; refuses in one sentence where there is no display (Qt would abort)."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError("there is no display to open a window on; run 'dendview demo --out DIR' for pictures and files instead")
    from dendview.app import run as run_window

    return run_window(args.path, perspective=args.perspective, smoke=args.smoke)
