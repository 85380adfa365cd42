"""Run an experiment and write its traces, spikes and recipe."""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dendview.cli.backends import add_backend_arguments, wanted_backend
from dendview.cli.cells import out_folder, print_json, print_table
from engine.backends import choose_backend
from engine.errors import BackendError, FileError, UnstableError, UserError
from engine.experiment import Experiment, from_json, to_json
from engine.exporting import export_spikes_csv, export_traces_csv, export_traces_hdf5
from engine.exporting.atomic import written_aside
from engine.model import build
from engine.population_file import on_recipe
from engine.population_run import PopulationChunk
from engine.recipes import RECIPES
from engine.recording import Chunk, Recording, RecordingBuilder
from engine.simulation import simulate
from engine.types import BackendName

RECIPE = "experiment.json"
C = TypeVar("C", Chunk, PopulationChunk)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "experiments",
        nargs="*",
        metavar="EXPERIMENT",
        help="experiment.json, as 'dendview demo' or the window writes it; with --recipe a "
        "morphology (SWC or ASC, .gz too) or sample:NAME instead; several run in step, in one run",
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help="run a published membrane on the morphology, or on the sample of its kind: "
        + ", ".join(RECIPES),
    )
    parser.add_argument(
        "--clamp",
        type=float,
        metavar="NA",
        help="with --recipe: a current into the soma in the middle third of the run",
    )
    parser.add_argument(
        "--duration", type=float, metavar="MS", help="with --recipe: how long (default 300)"
    )
    parser.add_argument(
        "--copies",
        type=counts,
        metavar="N[,N…]",
        help="so many cells of each, or a number for every one; where something is drawn, copies "
        "count the seed up",
    )
    parser.add_argument(
        "--population",
        type=Path,
        metavar="FILE",
        help="run the cells of a population.json, as a run of several cells writes it",
    )
    add_backend_arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for traces, spikes and recipe",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def counts(text: str) -> tuple[int, ...]:
    """``10`` or ``10,20,5`` as numbers of copies; argparse prints the sentence where it is none."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = (0,)
    if min(found) < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no number of copies; write 10, or 10,20 for one number each"
        )
    return found


def execute(args: argparse.Namespace) -> int:
    if args.population or args.copies or len(args.experiments) > 1:
        from dendview.cli.run_population import execute_population

        return execute_population(args)
    backend = wanted_backend(args)
    (experiment,) = wanted_experiments(args)
    recording, seconds, trouble = run_experiment(experiment, backend, out_folder(args.out))
    paths = write_run(recording, args.out)
    if args.json:
        print_json(answer_of(recording, seconds) | {"written": [str(path) for path in paths]})
    else:
        print_table([*summary(recording, seconds), ("written", ", ".join(map(str, paths)))])
    if trouble is not None:
        raise trouble
    return 0 if recording.complete else 130


def wanted_experiments(args: argparse.Namespace) -> list[Experiment]:
    """The experiments of files, or a published membrane on morphologies; at least one.

    Raises
    ------
    UserError
        If it cannot be read, or the arguments do not go together.
    """
    if args.recipe is None:
        if not args.experiments:
            names = ", ".join(RECIPES)
            raise UserError(f"nothing to run; name an experiment.json, or --recipe of {names}")
        if args.clamp is not None or args.duration is not None:
            raise UserError(
                "--clamp and --duration go with --recipe; an experiment.json says both itself"
            )
        return [read_experiment(Path(given)) for given in args.experiments]
    for given in args.experiments:
        if given.endswith(".json"):
            raise UserError(f"{given}: --recipe goes on a morphology; give a SWC or ASC file")
    morphologies = args.experiments or [None]
    return [on_recipe(args.recipe, path, args.duration, args.clamp) for path in morphologies]


def read_experiment(path: Path) -> Experiment:
    """The experiment of a file.

    Raises
    ------
    FileError
        If it cannot be read or is none.
    """
    wanted = "give the experiment.json of a run"
    try:
        return from_json(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError:
        raise FileError(path, "this is not a text file", wanted) from None
    except OSError as error:
        what = f"the experiment cannot be read ({error.strerror or error})"
        raise FileError(path, what, wanted) from None


def run_experiment(
    experiment: Experiment, backend: BackendName, folder: Path
) -> tuple[Recording, float, UserError | None]:
    """Run to the end, to Ctrl-C (or the signal to end) or to where the voltages leave all bounds;
    keep what is finished.

    The recipe is written first, so that a folder that takes no files is told before the run.

    Returns
    -------
    The recording, the seconds it took, and what ended it early.
    """
    model = build(experiment)
    with written_aside(folder / RECIPE) as aside:
        aside.write_text(to_json(experiment), encoding="utf-8")
    chosen = choose_backend(backend)
    builder, trouble = RecordingBuilder(model), None
    started = time.perf_counter()
    try:
        with ended_as_by_ctrl_c():
            for chunk in show_progress(simulate(model, chosen)):
                builder.engine = chosen.describe()
                builder.append(chunk)
    except KeyboardInterrupt:
        print("\nstopped; what is finished is kept", file=sys.stderr)
    except ENDS as error:
        trouble = trouble_of(error, builder.fraction)
    return builder.recording(), time.perf_counter() - started, trouble


ENDS = (UnstableError, BackendError, MemoryError)
"""What ends a run early, so that what is finished is kept."""


def trouble_of(error: Exception, fraction: float) -> UserError:
    """What is told once the finished part of a run is written; raised where there is none."""
    if not fraction and not isinstance(error, MemoryError):
        raise error
    if isinstance(error, UnstableError):
        return error
    what = str(error) or "not enough memory for this run; record less, or make it shorter"
    told = UserError(f"{what} (the first {100 * fraction:.0f} % are kept)" if fraction else what)
    if not fraction:
        raise told
    return told


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let the signal to end do what Ctrl-C does: batch systems send it before they kill."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def show_progress(chunks: Iterable[C]) -> Iterator[C]:
    """Pass chunks on and draw a bar on a terminal."""
    show = sys.stderr.isatty()
    for chunk in chunks:
        if show:
            done = int(30 * chunk.fraction)
            print(
                f"\r[{'#' * done}{'.' * (30 - done)}] {chunk.stop:.1f} ms",
                end="",
                file=sys.stderr,
                flush=True,
            )
        yield chunk
    if show:
        print(file=sys.stderr)


def write_run(recording: Recording, folder: Path) -> list[Path]:
    """Write traces.csv, traces.h5 and spikes.csv; gives their paths and that of the recipe."""
    paths = [folder / name for name in ("traces.csv", "traces.h5", "spikes.csv", RECIPE)]
    export_traces_csv(recording, paths[0])
    export_traces_hdf5(recording, paths[1])
    export_spikes_csv(recording, paths[2])
    return paths


def summary(recording: Recording, seconds: float) -> list[tuple[str, str]]:
    """What a run gave, as rows of name and value."""
    last = recording.time[-1] if recording.time.size else 0.0
    rows = [
        (
            "simulated",
            f"{last:g} ms in {seconds:.2f} s" + ("" if recording.complete else " (stopped early)"),
        )
    ]
    if recording.engine:
        rows.append(("on", recording.engine))
    for label, unit, trace in zip(
        recording.labels, recording.units, recording.values[:, 0], strict=True
    ):
        if trace.size:
            rows.append((label, f"{trace.min():.4g} … {trace.max():.4g} {unit}"))
    times = ", ".join(f"{time:g}" for time in recording.spikes[:8, 1])
    more = " …" if len(recording.spikes) > 8 else ""
    rows.append(("spikes", f"{len(recording.spikes)}" + (f" at {times}{more} ms" if times else "")))
    return rows


def answer_of(recording: Recording, seconds: float) -> dict[str, Any]:
    """The same for a program."""
    return {
        "stop": float(recording.time[-1]) if recording.time.size else 0.0,
        "seconds": seconds,
        "engine": recording.engine,
        "complete": recording.complete,
        "probes": extremes(recording),
        "spikes": recording.spikes[:, 1].tolist(),
    }


def extremes(recording: Recording) -> list[dict[str, Any]]:
    """The least and the largest value of every probe, of all instances."""
    return [
        {
            "label": label,
            "unit": unit,
            "least": float(trace.min()) if trace.size else None,
            "most": float(trace.max()) if trace.size else None,
        }
        for label, unit, trace in zip(
            recording.labels, recording.units, recording.values, strict=True
        )
    ]
