"""A picture of the window on a cell, also without a display."""

import argparse
import re
from pathlib import Path
from typing import get_args

from dendview.cli.pictures import opened_window, settle
from dendview.colors import ThemeName
from engine.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="morphology (SWC or ASC, .gz too) or sample:NAME")
    parser.add_argument(
        "--perspective",
        choices=("explore", "schedule", "simulate", "spike_lab", "training"),
        default="explore",
        help="default %(default)s",
    )
    parser.add_argument(
        "--step", type=int, default=0, metavar="N", help="show the schedule after N of its steps"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="PNG", help="the picture")
    parser.add_argument(
        "--size", type=size, default=(1600, 1000), metavar="WxH", help="default 1600x1000"
    )
    parser.add_argument(
        "--theme", choices=get_args(ThemeName), default="dark", help="default %(default)s"
    )


def size(text: str) -> tuple[int, int]:
    """``1600x1000`` as two numbers."""
    match = re.fullmatch(r"(\d{3,4})x(\d{3,4})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size; write it as 1600x1000")
    return int(match[1]), int(match[2])


def execute(args: argparse.Namespace) -> None:
    if args.out.suffix.lower() != ".png":
        raise UserError(f"{args.out}: the picture is a PNG; give the file the ending .png")
    if args.step and args.perspective != "schedule":
        raise UserError("steps are shown in one perspective: add --perspective schedule to --step")
    from dendview.app import make_app, wait_for_threads

    with opened_window(args.path, args.perspective, args.size, args.theme) as window:
        if args.step:
            window.controllers.schedule.go_to(args.step)
        settle(make_app())
        if args.perspective == "training":  # images are looked at, responses computed
            for _ in range(2):
                wait_for_threads(60_000)
                settle(make_app())
        save(window.grab(), args.out)
    print(args.out)


def save(picture: "object", path: Path) -> None:
    """Write a Qt pixmap or image; one sentence where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not picture.save(str(path)):  # type: ignore[attr-defined]
        raise UserError(
            f"{path}: the picture cannot be written; check the folder and the space on the disk"
        )
