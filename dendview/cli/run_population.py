"""Run several cells in step and write their traces, spikes and recipe."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dendview.cli.backends import wanted_backend
from dendview.cli.cells import out_folder, print_json, print_table
from dendview.cli.run import (
    ENDS,
    ended_as_by_ctrl_c,
    extremes,
    show_progress,
    trouble_of,
    wanted_experiments,
)
from engine.backends import choose_backend
from engine.errors import UserError
from engine.experiment import Experiment
from engine.exporting.atomic import written_aside
from engine.exporting.population import (
    export_population_csv,
    export_population_hdf5,
    export_population_spikes_csv,
    n_row,
)
from engine.population import Member, Population, build_population
from engine.population_file import read_population, to_json
from engine.population_run import PopulationRecorder, PopulationRecording, simulate_population
from engine.types import BackendName

RECIPE = "population.json"
MOST_ROWS = 20_000_000
"""Of a table of traces; what is longer is in the HDF5 file only."""


def execute_population(args: argparse.Namespace) -> int:
    """Run what the arguments of ``dendview run`` ask for; gives the exit status."""
    backend = wanted_backend(args)
    population = wanted_population(args)
    folder = out_folder(args.out)
    recording, seconds, trouble = run_population(population, backend, folder)
    paths = write_population(recording, folder)
    if args.json:
        print_json(answer_of(recording, seconds) | {"written": [str(path) for path in paths]})
    else:
        print_table([*rows_of(recording, seconds), ("written", ", ".join(map(str, paths)))])
    if trouble is not None:
        raise trouble
    return 0 if recording.complete else 130


def wanted_population(args: argparse.Namespace) -> Population:
    """The population of a file, or of the experiments that are named.

    Raises
    ------
    UserError
        If it cannot be read, or the arguments do not go together.
    """
    if args.population is None:
        return population_of(wanted_experiments(args), args.copies or (1,))
    also = ("--copies", args.copies), ("--recipe", args.recipe), ("--clamp", args.clamp)
    given = [name for name, value in (*also, ("--duration", args.duration)) if value is not None]
    if given or args.experiments:
        what = given[0] if given else args.experiments[0]
        raise UserError(f"{what} does not go with --population; its file says what runs")
    return read_population(args.population)


def population_of(experiments: Sequence[Experiment], copies: tuple[int, ...]) -> Population:
    """So many copies of every experiment.

    Raises
    ------
    UserError
        If there are neither one number of copies nor one for each.
    """
    if len(copies) == 1:
        copies *= len(experiments)
    if len(copies) != len(experiments):
        raise UserError(
            f"--copies gives {len(copies)} numbers for {len(experiments)} cells; give one, or one "
            "for each cell"
        )
    return Population(tuple(map(Member, experiments, copies)))


def run_population(
    population: Population, backend: BackendName, folder: Path
) -> tuple[PopulationRecording, float, UserError | None]:
    """As :func:`dendview.cli.run.run_experiment`, of many cells."""
    model = build_population(population)
    with written_aside(folder / RECIPE) as aside:
        aside.write_text(to_json(population), encoding="utf-8")
    chosen = choose_backend(backend)
    recorder, trouble, done = PopulationRecorder(model), None, 0.0
    started = time.perf_counter()
    try:
        with ended_as_by_ctrl_c():
            for chunk in show_progress(simulate_population(model, chosen)):
                recorder.engine, done = chosen.describe(), chunk.fraction
                recorder.append(chunk)
    except KeyboardInterrupt:
        print("\nstopped; what is finished is kept", file=sys.stderr)
    except ENDS as error:
        trouble = trouble_of(error, done)
    return recorder.recording(), time.perf_counter() - started, trouble


def write_population(recording: PopulationRecording, folder: Path) -> list[Path]:
    """Write traces.csv, traces.h5 and spikes.csv; gives their paths and that of the recipe."""
    paths = [folder / name for name in ("traces.h5", "spikes.csv", RECIPE)]
    export_population_hdf5(recording, paths[0])
    export_population_spikes_csv(recording, paths[1])
    if n_row(recording) > MOST_ROWS:
        print(
            f"traces.csv is left out: it would have {n_row(recording):,} rows; traces.h5 has all",
            file=sys.stderr,
        )
        return paths
    export_population_csv(recording, folder / "traces.csv")
    return [folder / "traces.csv", *paths]


def rows_of(recording: PopulationRecording, seconds: float) -> list[tuple[str, str]]:
    """What a run gave, as rows of name and value."""
    answer = answer_of(recording, seconds)
    n_cell = recording.population.n_cell
    early = "" if recording.complete else " (stopped early)"
    rows = [("simulated", f"{n_cell} cells, {answer['stop']:g} ms in {seconds:.2f} s{early}")]
    if recording.members[0].engine:
        rows.append(("on", recording.members[0].engine))
    for member in answer["members"]:
        cells = f"{member['copies']} cell" + "s" * (member["copies"] > 1)
        each = f"{member['spikes'] / member['copies']:.3g} spikes" + " each" * (
            member["copies"] > 1
        )
        traces = [f"{p['label']} {p['least']:.4g} … {p['most']:.4g} {p['unit']}"
                  for p in member["probes"] if p["least"] is not None]  # fmt: skip
        text = "; ".join([f"{cells} of {member['compartments']} compartments, {each}", *traces])
        rows.append((member["name"], text))
    return rows


def answer_of(recording: PopulationRecording, seconds: float) -> dict[str, Any]:
    """The same for a program."""
    members = []
    for name, one in zip(recording.names, recording.members, strict=True):
        members.append(
            {
                "name": name,
                "copies": one.values.shape[1],
                "compartments": len(one.segment),
                "spikes": len(one.spikes),
                "probes": extremes(one),
            }
        )
    return {
        "stop": float(recording.time[-1]) if len(recording.time) else 0.0,
        "seconds": seconds,
        "engine": recording.members[0].engine,
        "complete": recording.complete,
        "members": members,
    }
