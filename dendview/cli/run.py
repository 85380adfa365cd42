"""Run an experiment and write its traces, spikes and recipe."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from dendview.cli.cells import print_table
from engine.errors import FileError
from engine.experiment import Experiment, from_json, to_json
from engine.exporting import export_spikes_csv, export_traces_csv, export_traces_hdf5
from engine.model import build
from engine.recording import Chunk, Recording, collect
from engine.simulation import simulate
from engine.types import BackendName


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "experiment", type=Path, help="experiment.json, as 'dendview demo' or the window writes it"
    )
    parser.add_argument(
        "--backend", choices=("auto", "cpu", "gpu"), default="auto", help="default %(default)s"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for traces, spikes and recipe",
    )


def execute(args: argparse.Namespace) -> int:
    try:
        text = args.experiment.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileError(
            args.experiment, "is not a text file", "give the experiment.json of a run"
        ) from error
    experiment = from_json(text, args.experiment)
    args.out.mkdir(parents=True, exist_ok=True)
    recording, seconds = run_experiment(experiment, args.backend)
    paths = write_run(recording, args.out)
    print_table([*summary(recording, seconds), ("written", ", ".join(map(str, paths)))])
    return 0 if recording.complete else 130


def run_experiment(experiment: Experiment, backend: BackendName) -> tuple[Recording, float]:
    """Run to the end, or to Ctrl-C, which keeps what is finished.

    Gives the recording and the seconds it took.
    """
    model = build(experiment)
    started = time.perf_counter()
    recording = collect(model, until_interrupt(show_progress(simulate(model, backend))))
    return recording, time.perf_counter() - started


def until_interrupt(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The chunks up to Ctrl-C."""
    try:
        yield from chunks
    except KeyboardInterrupt:
        print("\nstopped; what is finished is kept", file=sys.stderr)


def show_progress(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
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
    """Write traces.csv, traces.h5, spikes.csv and experiment.json; gives their paths."""
    paths = [folder / name for name in ("traces.csv", "traces.h5", "spikes.csv", "experiment.json")]
    export_traces_csv(recording, paths[0])
    export_traces_hdf5(recording, paths[1])
    export_spikes_csv(recording, paths[2])
    paths[3].write_text(to_json(recording.origin), encoding="utf-8")
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
    for label, unit, trace in zip(
        recording.labels, recording.units, recording.values[:, 0], strict=True
    ):
        if trace.size:
            rows.append((label, f"{trace.min():.4g} … {trace.max():.4g} {unit}"))
    times = ", ".join(f"{time:g}" for time in recording.spikes[:8, 1])
    more = " …" if len(recording.spikes) > 8 else ""
    rows.append(("spikes", f"{len(recording.spikes)}" + (f" at {times}{more} ms" if times else "")))
    return rows
