"""Train a network of dendritic neurons on images."""

import argparse
import sys
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dendview.cli.cells import out_folder, print_json, print_table
from dendview.cli.learned_data import check_fits, named_data, own_data
from dendview.cli.run import ended_as_by_ctrl_c
from dendview.cli.spike_lab import duration
from dendview.cli.train_network import add_network_arguments, network_of, network_words
from engine.errors import FileError, UserError
from engine.experiments.hpc_net import (
    PRESETS,
    Dataset,
    Evaluation,
    Learning,
    Optimizer,
    Progress,
    State,
    Training,
    download,
    from_json,
    load,
    make_way,
    prepare,
    start,
    to_json,
    train,
)
from engine.experiments.hpc_net.data import DIGITS, DOWNLOADS
from engine.experiments.hpc_net.network import first_weights
from engine.experiments.hpc_net.rule import descent
from engine.experiments.hpc_net.training import with_rate
from engine.experiments.hpc_net.ways import Way
from engine.exporting.atomic import written_aside
from engine.exporting.training import (
    export_curves_csv,
    export_epochs_csv,
    export_weights_hdf5,
    how_computed,
    load_checkpoint,
    save_checkpoint,
)
from engine.exporting.training_figure import confusion_svg, curves_svg, responses_svg

RECIPE, CHECKPOINT = "training.json", "checkpoint.h5"
SAVE_EVERY = 60.0
"""Seconds between two checkpoints within an epoch."""
BAR = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="folder with IDX files as MNIST's; 'digits' are the bundled ones (default)",
    )
    parser.add_argument(
        "--download", choices=tuple(DOWNLOADS), help="fetch these into the folder of --data first"
    )
    parser.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="quick: momentum and a larger rate, minutes; paper: the authors' 30 epochs of plain "
        "descent at 0.005 (default quick)",
    )
    parser.add_argument("--recipe", type=Path, metavar="FILE", help=f"a {RECIPE} to run again")
    parser.add_argument(
        "--resume",
        action="store_true",
        help=f"go on from the {CHECKPOINT} in the folder; only "
        "--epochs and --rate may be others than before",
    )
    add_network_arguments(parser)
    parser.add_argument("--rule", choices=("quasi_static", "exact"), help="learning rule")
    parser.add_argument("--softmax", choices=("instant", "mean"), help="of the output voltages")
    parser.add_argument("--window", type=float, metavar="MS", help="learning starts after so long")
    parser.add_argument("--sign", choices=("descend", "ascend"), help="ascend: the text's Eq. 8")
    parser.add_argument("--rate", type=float, help="learning rate; with --resume from here on")
    parser.add_argument("--cool", type=float, help="factor of the rate from epoch to epoch")
    parser.add_argument("--optimizer", choices=("sgd", "momentum", "adam"))
    parser.add_argument("--batch", type=int, metavar="N", help="samples of a mini-batch")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--seed", type=int, metavar="N", help="of places, weights and order")
    parser.add_argument("--threads", type=int, metavar="N", help="cores (default: all)")
    parser.add_argument(
        "--backend", choices=("auto", "cpu", "gpu"), default="auto",
        help="auto: the CPU for the shortcut, a GPU for --compartmental where there is one",
    )  # fmt: skip
    parser.add_argument(
        "--precision", choices=("mixed", "double"),
        help="of the shortcut on the CPU; mixed: single for modes so small that it does not show "
        "(default mixed)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def execute(args: argparse.Namespace) -> int:
    state: State | None = None
    if args.resume:
        training, state = load_checkpoint(args.out / CHECKPOINT)
        training = changed(training, args, going_on=True)
    else:
        training = changed(read_recipe(args.recipe, args.preset or "quick"), args)
    if args.download is not None:
        folder = Path(args.data or ".")
        training = replace(training, data=str(download(args.download, folder).absolute()))
    data = load(training.data)
    network = prepare(training, data)
    if state is not None:
        check_fits(state, network, data, args.out / CHECKPOINT)
        state = with_rate(state, args.rate, training.learning, len(data.train))
    way = make_way(network, training.way, args.backend, args.threads, training.precision)
    if state is not None:
        tell_change(how_computed(args.out / CHECKPOINT), way)
    folder = out_folder(args.out)
    with written_aside(folder / RECIPE) as aside:
        aside.write_text(to_json(training), encoding="utf-8")
    begin = time.perf_counter()
    state, last, trouble = run(way, data, training, state, folder)
    seconds = time.perf_counter() - begin
    written = [folder / RECIPE, *write(way, data, training, state, last, folder)]
    if args.json:
        print_json(answer(training, data, way, state, seconds, written))
    else:
        print_table(
            [*summary(data, way, state, seconds), ("written", ", ".join(map(str, written)))]
        )
    if trouble:
        raise UserError(trouble)
    if state.epoch < training.learning.epochs:
        print(
            f"dendview: stopped; go on with 'dendview train --resume --out {folder}'",
            file=sys.stderr,
        )
        return 130
    return 0


def read_recipe(path: Path | None, preset: str) -> Training:
    """The training of a file, or a preset's.

    Raises
    ------
    UserError
        If the file cannot be read or is none.
    """
    if path is None:
        return PRESETS[preset]
    try:
        return from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise FileError(path, f"the recipe cannot be read ({why})", f"give a {RECIPE}") from None


def changed(training: Training, args: argparse.Namespace, going_on: bool = False) -> Training:
    """The training with what the arguments say.

    Raises
    ------
    UserError
        If a run that goes on would be another one.
    """
    learning = {"rule": args.rule, "softmax": args.softmax, "start": args.window, "sign": args.sign,
                "cool": args.cool, "batch": args.batch, "epochs": args.epochs,
                "seed": args.seed}  # fmt: skip
    names = ("preset", "recipe", "download", "rule", "softmax", "window", "sign", "cool",
             "optimizer", "batch", "seed", "precision")  # fmt: skip
    fixed = network_words(args) | {f"--{name}": getattr(args, name) for name in names}
    fixed["--compartmental"] = args.compartmental or None
    if going_on and (given := [name for name, value in fixed.items() if value is not None]):
        raise UserError(
            f"{given[0]} cannot change while a training goes on; leave it out, or start another "
            "one in a new folder"
        )
    if not going_on:
        learning["rate"] = args.rate
    if args.optimizer is not None:
        learning["optimizer"] = Optimizer(args.optimizer)
    data = training.data
    if going_on:
        data = own_data(data, args.data)
    elif args.data is not None:
        data = named_data(args.data)
    elif data != DIGITS and not Path(data).is_absolute():
        data = DIGITS  # a preset names the kind of data it is meant for
    return replace(
        training,
        network=network_of(training.network, args),
        learning=_with(training.learning, learning),
        data=data,
        way="compartmental" if args.compartmental else training.way,
        precision=args.precision or training.precision,
    )


def tell_change(so_far: str, way: Way) -> None:
    """Say where a training that goes on computes in another way than before."""
    if so_far and so_far != way.describe():
        print(
            f"dendview: so far it computed by {so_far}; from here on by {way.describe()}",
            file=sys.stderr,
        )


def _with(value: Any, changes: dict[str, Any]) -> Any:
    return replace(value, **{name: x for name, x in changes.items() if x is not None})


def run(
    way: Way, data: Dataset, training: Training, state: State | None, folder: Path
) -> tuple[State, Evaluation | None, str]:
    """Train to the end, to Ctrl-C or to trouble; checkpoints are written on the way.

    Returns
    -------
    The last state, the last test if there was one, and what went wrong.
    """
    last: Evaluation | None = None
    state = state or start(way.network, training.learning)
    generator = train(way, data, training.learning, state)
    saved = time.perf_counter()
    trouble = ""
    try:
        with ended_as_by_ctrl_c():
            for progress in show_progress(generator, training.learning):
                state, trouble = progress.state, progress.trouble
                last = progress.test or last
                if progress.test is not None or time.perf_counter() - saved > SAVE_EVERY:
                    save_checkpoint(training, state, folder / CHECKPOINT, way.describe())
                    saved = time.perf_counter()
    except KeyboardInterrupt:
        print("\nstopped; what is finished is kept", file=sys.stderr)
    save_checkpoint(training, state, folder / CHECKPOINT, way.describe())
    return state, last, trouble


def show_progress(
    run: Generator[Progress, float | None, None], learning: Learning
) -> Generator[Progress, None, None]:
    """Pass progress on and draw a bar on a terminal; without one, a line for each epoch."""
    show, width, drawn = sys.stderr.isatty(), 0, 0.0
    for progress in run:
        now = time.perf_counter()
        if show and (now - drawn > 0.1 or progress.test is not None):
            drawn, filled = now, int(BAR * progress.fraction)
            line = (
                f"[{'#' * filled}{'.' * (BAR - filled)}] epoch "
                f"{min(progress.state.epoch + 1, learning.epochs)} of {learning.epochs}, "
                f"{progress.phase}, loss {progress.loss:.3f}, "
                f"{progress.samples_per_second:,.0f} samples/s, "
                f"{duration(progress.remaining)} left"
            )
            print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)
            width = len(line)
        if progress.test is not None:
            row = progress.state.epochs[-1]
            line = (
                f"epoch {row.number}: loss {row.train_loss:.4f}, test accuracy "
                f"{100 * row.test_accuracy:.2f} %, {row.seconds:.1f} s"
            )
            print(f"{chr(13) * show}{line:<{width}}", file=sys.stderr, flush=True)
        yield progress


def write(
    way: Way,
    data: Dataset,
    training: Training,
    state: State,
    last: Evaluation | None,
    folder: Path,
) -> list[Path]:
    """Tables, weights and figures beside the checkpoint."""
    names = [CHECKPOINT, "epochs.csv", "curves.csv", "weights.h5", "curves.svg", "curves.png"]
    paths, network = [folder / name for name in names], way.network
    export_epochs_csv(training, state, paths[1])
    export_curves_csv(training, state, paths[2])
    export_weights_hdf5(network, state.weights, paths[3])
    title = f"{data.name}: {network.n_in}–{network.spec.n_hidden}–{network.n_out}"
    figures = {"curves": curves_svg(state, title)}
    if training.way == "shortcut":  # it takes minutes where all is simulated
        image, label = data.test[:1], data.classes[int(data.test_labels[0])]
        before, after = (
            way.voltages(image, weights).hidden[0]
            for weights in (first_weights(network), state.weights)
        )
        said = f"hidden neurons on the first test image of {data.name}: {label}"
        figures["responses"] = responses_svg(before, after, training.network.cell.dt, said)
        paths += [folder / "responses.svg", folder / "responses.png"]
    if last is not None:
        figures["confusion"] = confusion_svg(last, data.classes)
        paths += [folder / "confusion.svg", folder / "confusion.png"]
    from dendview.svg_pictures import save_svg_as_png

    for name, figure in figures.items():
        with written_aside(folder / f"{name}.svg") as aside:
            aside.write_text(figure, encoding="utf-8")
        save_svg_as_png(figure, folder / f"{name}.png", recipe=to_json(training))
    return paths


def answer(
    training: Training, data: Dataset, way: Way, state: State, seconds: float, written: list[Path]
) -> dict[str, Any]:
    """The results for programs."""
    rows = state.epochs
    return {
        "data": data.name,
        "way": way.name,
        "computed": way.describe(),
        "rule": training.learning.rule,
        "epochs": len(rows),
        "test_accuracy": state.test_accuracy,
        "best_test_accuracy": max((e.test_accuracy for e in rows), default=None),
        "cosine_to_gradient": falls(training, data, way, state),
        "train_loss": rows[-1].train_loss if rows else None,
        "epoch_seconds": sum(e.seconds for e in rows) / len(rows) if rows else None,
        "seconds": seconds,
        "test_accuracies": [e.test_accuracy for e in rows],
        "files": [str(path) for path in written],
    }


def falls(training: Training, data: Dataset, way: Way, state: State) -> dict[str, float] | None:
    """Cosine between the rule's direction and minus the gradient, before and after the training.

    On the first batch of the file; None where the network is simulated, which has no gradient.
    """
    if training.way != "shortcut":
        return None
    learning = training.learning
    images, labels = data.train[: learning.batch], data.train_labels[: learning.batch]
    weights = {"before": first_weights(way.network), "after": state.weights}
    return {when: descent(way, images, labels, w, learning) for when, w in weights.items()}


def summary(data: Dataset, way: Way, state: State, seconds: float) -> list[tuple[str, str]]:
    """The results for people."""
    rows = [("data", f"{data.name}: {len(data.train):,} to learn from, {len(data.test):,} to test")]
    network = way.network
    rows.append((
        "network",
        f"{network.n_in}–{network.spec.n_hidden}–{network.n_out}; resistance to the soma "
        f"{network.resistance[network.node].min():.4f} … "
        f"{network.resistance[network.node].max():.4f} MΩ, at the soma "
        f"{network.soma_resistance:.4f} MΩ",
    ))  # fmt: skip
    rows.append(("computed", way.describe()))
    if epochs := state.epochs:
        mean = sum(e.seconds for e in epochs) / len(epochs)
        rows.append(("test accuracy", f"{100 * epochs[-1].test_accuracy:.2f} %"))
        rows.append(("epochs", f"{len(epochs)}, {mean:.3g} s each"))
    rows.append(("this time", duration(seconds)))
    return rows
