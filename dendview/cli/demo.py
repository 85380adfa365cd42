"""Pictures and files of one whole job, also without a display."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from dendview.cli.cells import out_folder, print_table
from dendview.cli.pictures import opened_window, settle
from dendview.cli.run import run_experiment, summary, write_run
from dendview.cli.screenshot import save
from engine.compartments import path_distance
from engine.errors import UserError
from engine.experiment import Experiment, Probe, default_experiment
from engine.exporting import export_schedule_json
from engine.model import build
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections
from engine.stimuli import CurrentClamp, Site

SAMPLE = "sample:human_l23"
PICTURE = (1600, 1000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", nargs="?", default=SAMPLE, help="morphology or sample:NAME (default %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="default %(default)s"
    )


def execute(args: argparse.Namespace) -> int:
    folder = out_folder(args.out)
    experiment = demo_experiment(args.path)
    recording, seconds, failed = run_experiment(experiment, "auto", folder)
    written = write_run(recording, folder)

    model = build(experiment)
    written.append(folder / "schedule.json")
    export_schedule_json(model.schedule, model.tree, written[-1])
    pictures: list[Path] = []
    trouble = ""
    try:
        pictures = draw(experiment, folder)
    except UserError as error:
        trouble = str(error)

    schedule = model.schedule
    rows = [
        ("cell", f"{args.path}: {model.tree.n_comp} compartments"),
        (
            "schedule",
            f"{schedule.method}, {schedule.n_threads} threads: {schedule.n_step} steps, bound "
            f"{schedule.bound}{' (optimal)' * schedule.optimal}, {schedule.n_idle} idle slots",
        ),
        *summary(recording, seconds),
        ("pictures", ", ".join(str(path) for path in pictures) or f"none: {trouble}"),
        ("files", ", ".join(str(path) for path in written)),
        ("again", f"dendview run {folder / 'experiment.json'} --out DIR gives the same traces"),
    ]
    print_table(rows)
    with (folder / "summary.txt").open("w", encoding="utf-8") as file:
        print_table(rows, file)
    if failed is not None:
        raise failed
    return 1 if trouble else 0


def demo_experiment(source: str) -> Experiment:
    """A current pulse into the soma, recorded there and at the far end of the dendrites."""
    sections = make_sections(read_morphology(resolve(source)))
    experiment = default_experiment(source, sections, name="demo")
    soma = Site(sections.name[0])
    model = build(replace(experiment, probes=()))
    distance = path_distance(model.tree)
    far = int(np.argmax(np.where(np.isfinite(distance), distance, -1)))
    tip = Site(sections.name[model.tree.section[far]], round(float(model.tree.x[far]), 6))
    return replace(
        experiment,
        stimuli=(CurrentClamp(soma, delay=20.0, duration=100.0, amplitude=3.0),),
        probes=(Probe(soma), Probe(tip)),
        duration=150.0,
    )


def draw(experiment: Experiment, folder: Path) -> list[Path]:
    """The cell by thread, the Gantt chart and the whole window, as PNG files."""
    from dendview.pictures import save_array

    paths = [folder / name for name in ("cell-by-thread.png", "gantt.png", "window.png")]
    with opened_window(experiment.morphology, "schedule", PICTURE) as window:
        window.state.method, window.state.n_threads = experiment.method, experiment.n_threads
        window.state.nodes, window.state.color_by = experiment.nodes, "thread"
        from dendview.app import make_app

        settle(make_app())
        save_array(window.pane.view.render_image(*PICTURE), paths[0])
        window.docks.plots["gantt"].export(paths[1])
        save(window.grab(), paths[2])
    return paths
