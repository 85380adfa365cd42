"""A robustness study as a table: one row per network, disturbance, size and training."""

import csv
from pathlib import Path

from engine.atomic import written_aside
from engine.experiments.proportions import wilson
from engine.experiments.robustness import Result
from engine.exporting.csv import PROGRAM

COLUMNS = (
    "network", "disturbance", "epsilon", "applied", "training", "right", "images",
    "accuracy", "wilson_low", "wilson_high", "only_hpc_net_right", "only_this_right",
)  # fmt: skip


def export_robustness_csv(result: Result, path: Path) -> None:
    """Write the points of all curves.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        shape = "-".join(map(str, result.shape))
        file.write(f"# program: {PROGRAM}\n")
        file.write(f"# data: {result.data}, {result.n_test} of {result.n_all} test images\n")
        file.write(f"# network: {shape}\n")
        if result.epoch is not None:
            file.write(f"# epoch: {result.epoch}\n")
        file.write(f"# complete: {'yes' if result.complete else 'no'}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for curve in result.curves:
            for point in curve.points:
                size = repr(point.epsilon), repr(point.applied)
                for training, right in enumerate((point.right, *point.others), 1):
                    told = wilson(right, point.n)
                    values = [repr(value) for value in (told.value, told.low, told.high)]
                    known = point.discordant if training == 1 else None
                    values += [str(count) for count in known or ("", "")]
                    writer.writerow(
                        (curve.subject, curve.disturbance, *size, training, right, point.n, *values)
                    )
