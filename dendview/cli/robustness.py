"""Disturb images and see how often dendritic neurons, an ANN and its control still answer right."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from math import isfinite
from pathlib import Path
from textwrap import fill

from dendview.cli.cells import out_folder, print_json, print_table
from dendview.cli.learned_data import check_fits, named_data, own_data
from dendview.cli.run import ended_as_by_ctrl_c
from dendview.cli.spike_lab import duration
from dendview.cli.train import CHECKPOINT, RECIPE
from dendview.cli.train import run as run_training
from engine.atomic import written_aside
from engine.errors import UserError
from engine.experiments.hpc_net import (
    PRESETS,
    Dataset,
    Network,
    State,
    Training,
    hidden_cell,
    load,
    make_way,
    prepare,
)
from engine.experiments.robustness import (
    EPSILONS,
    HELP,
    SUBJECTS,
    Progress,
    Result,
    Study,
    conclusion,
    examine,
    to_json,
    why_no_torch,
)
from engine.experiments.robustness.study import DISTURBANCES
from engine.exporting.robustness import export_robustness_csv
from engine.exporting.robustness_figure import robustness_svg
from engine.exporting.training import load_checkpoint

DEFAULT = Study()
RESULT = "robustness.json"
BAR = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = wrapped(HELP)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the study"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="trained network of 'dendview train' (default: the one in DIR, else one is trained "
        "there by the preset 'quick')",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="folder with IDX files as MNIST's, or 'digits', of a network to be trained; one "
        "that has learned is given what it learned from",
    )
    parser.add_argument("--morphology", metavar="PATH", help="of the hidden neurons to be trained")
    parser.add_argument(
        "--epsilon",
        type=float,
        nargs="+",
        metavar="E",
        default=EPSILONS,
        help="sizes of the disturbance, parts of the brightness "
        f"(default {EPSILONS[0]:g} … {EPSILONS[-1]:g})",
    )
    parser.add_argument(
        "--n", type=int, default=DEFAULT.n, help="first so many test images (default: all)"
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=DEFAULT.repeats,
        metavar="N",
        help="trainings of each ANN (default %(default)s)",
    )
    for name, descent in (("surrogate", DEFAULT.surrogate), ("ann", DEFAULT.ann)):
        parser.add_argument(
            f"--{name}-batches",
            type=int,
            default=descent.batches,
            metavar="N",
            help=f"batches of {descent.batch} images the {name} learns from (default %(default)s)",
        )
    parser.add_argument("--seed", type=int, default=DEFAULT.seed, metavar="N")
    parser.add_argument("--threads", type=int, metavar="N", help="cores (default: all)")
    parser.add_argument(
        "--compartmental",
        action="store_true",
        help="simulate every neuron instead of the exact shortcut, as is done where the network "
        "learned so; very slow",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def execute(args: argparse.Namespace) -> int:
    study = Study(
        epsilons=tuple(sorted(set(args.epsilon))),
        n=args.n,
        repeats=args.repeats,
        surrogate=replace(DEFAULT.surrogate, batches=args.surrogate_batches),
        ann=replace(DEFAULT.ann, batches=args.ann_batches),
        seed=args.seed,
    )
    study.check()
    folder = out_folder(args.out)
    own = folder / CHECKPOINT
    trained: tuple[Training, State] | None = None
    if args.checkpoint is not None or own.is_file():
        trained = load_checkpoint(args.checkpoint or own)
    elif why := why_no_torch():
        raise UserError(why)  # before minutes of training
    training, state = trained or (fresh(args), None)
    if trained is not None:
        training = replace(training, data=own_data(training.data, args.data))
    data = load(training.data)
    network = prepare(training, data)
    if state is not None:
        check_fits(state, network, data, args.checkpoint or own)
        if args.checkpoint is None:
            check_own(state, training, folder)
    begin, result = time.perf_counter(), None
    try:
        with ended_as_by_ctrl_c():
            if args.checkpoint is None:
                state = train_to_the_end(training, state, network, data, folder, args.threads)
            assert state is not None, "a checkpoint has one"
            run = examine(
                study,
                network,
                state.weights,
                training.learning,
                data,
                folder,
                simulate=args.compartmental or training.way == "compartmental",
                threads=args.threads,
                epoch=state.epoch,
            )
            with closing(run):
                for progress in show_progress(run):
                    result = progress.result
    except KeyboardInterrupt:
        print("\nstopped; what is finished is kept", file=sys.stderr)
    written = write(result, folder) if result is not None and result.curves else []
    if result is not None:
        told(result, written, time.perf_counter() - begin, args.json)
    if result is None or not result.complete:
        print(f"dendview: stopped; the same command goes on in {folder}", file=sys.stderr)
        return 130
    return 0


def fresh(args: argparse.Namespace) -> Training:
    """The training of a network where there is none yet."""
    training = PRESETS["quick"]
    if args.data is not None:
        training = replace(training, data=named_data(args.data))
    if args.morphology is not None:
        path = args.morphology
        path = path if path.startswith("sample:") else str(Path(path).absolute())
        training = replace(training, network=replace(training.network, cell=hidden_cell(path)))
    return training


def check_own(state: State, training: Training, folder: Path) -> None:
    """Refuse to finish a training that another command began; its recipe lies beside it.

    Raises
    ------
    UserError
    """
    epochs = training.learning.epochs
    if state.epoch < epochs and (folder / RECIPE).is_file():
        own = folder / CHECKPOINT
        raise UserError(
            f"{own}: this training has finished {state.epoch} of {epochs} epochs; end it by "
            f"'dendview train --resume --out {folder}', or study it as it is by '--checkpoint "
            f"{own}'"
        )


def train_to_the_end(
    training: Training,
    state: State | None,
    network: Network,
    data: Dataset,
    folder: Path,
    threads: int | None,
) -> State:
    """The state of a finished training; goes on with one that is not.

    Raises
    ------
    UserError
        If the training comes to trouble.
    KeyboardInterrupt
        If it was stopped; its checkpoint is in the folder.
    """
    if state is not None and state.epoch >= training.learning.epochs:
        return state
    way = make_way(network, training.way, "auto", threads, training.precision)
    state, _, trouble = run_training(way, data, training, state, folder)
    if trouble:
        raise UserError(trouble)
    if state.epoch < training.learning.epochs:
        raise KeyboardInterrupt
    return state


def show_progress(run: Iterator[Progress]) -> Iterator[Progress]:
    """Pass progress on and draw a bar on a terminal; without one, a line for each phase."""
    show, width, phase = sys.stderr.isatty(), 0, ""
    for progress in run:
        name = progress.phase.partition(":")[0]
        if show:
            filled = int(BAR * progress.fraction)
            line = f"[{'#' * filled}{'.' * (BAR - filled)}] {progress.phase}"
            if isfinite(progress.remaining):
                line += f", {duration(progress.remaining)} left"
            print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)
            width = len(line)
        elif name != phase:
            print(name, file=sys.stderr, flush=True)
        phase = name
        yield progress
    if show:
        print(file=sys.stderr)


def write(result: Result, folder: Path) -> list[Path]:
    """Result, table and figure."""
    from dendview.svg_pictures import save_svg_as_png

    paths = [folder / name for name in (RESULT, "robustness.csv", "robustness.svg",
                                        "robustness.png")]  # fmt: skip
    with written_aside(paths[0]) as aside:
        aside.write_text(to_json(result), encoding="utf-8")
    export_robustness_csv(result, paths[1])
    figure = robustness_svg(result)
    with written_aside(paths[2]) as aside:
        aside.write_text(figure, encoding="utf-8")
    save_svg_as_png(figure, paths[3], recipe=to_json(result))
    return paths


def told(result: Result, written: list[Path], seconds: float, as_json: bool) -> None:
    """Print the result."""
    if as_json:
        answer = json.loads(to_json(result))
        answer |= {
            "conclusion": conclusion(result),
            "seconds": seconds,
            "files": [str(path) for path in written],
        }
        print_json(answer)
        return
    epsilons = [0.0, *result.study.epsilons]
    rows = [("epsilon", "  ".join(f"{epsilon:>5.3g}" for epsilon in epsilons))]
    for disturbance, title in DISTURBANCES.items():
        rows.append((title, ""))
        for subject, name in SUBJECTS.items():
            if (curve := result.curve(subject, disturbance)) is None:
                continue
            values = [
                f"{100 * point.accuracy.value:5.1f}" if (point := curve.at(e)) else "    –"
                for e in epsilons
            ]
            rows.append((f"  {name} (%)", "  ".join(values)))
    rows.append(("this time", duration(seconds)))
    rows.append(("written", ", ".join(map(str, written))))
    print_table(rows)
    if said := conclusion(result):
        print(f"\n{wrapped(said)}")


def wrapped(text: str, width: int = 96) -> str:
    """Paragraphs in lines no longer than the width."""
    return "\n\n".join(
        fill(part, width, break_on_hyphens=False) for part in text.strip().split("\n\n")
    )
