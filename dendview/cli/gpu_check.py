"""Whether this machine's GPU gives the processor's numbers."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from dendview.cli.cells import print_json
from engine.backends.gpu.cupy_device import count_devices, cupy_device
from engine.backends.gpu.device import Device
from engine.experiments.gpu_check import CheckRow, check_models, check_solves
from engine.experiments.gpu_check_models import check_everything, check_several
from engine.experiments.gpu_check_population import check_populations

WIDTH = 36
"""Characters of the longest name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", type=int, default=0, metavar="N", help="which GPU, from 0 on")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON to FILE too")


def execute(args: argparse.Namespace) -> int:
    """Check; 1 where a check failed. Without a device :class:`BackendError` says why."""
    device = cupy_device(args.device)
    rows = []
    for row in all_rows(device):
        rows.append(row)
        print(line(row), file=sys.stderr if args.json else sys.stdout, flush=True)
        if args.out is not None:  # after every row, so that a crash loses nothing
            text = json.dumps(report(device, rows), indent=2, ensure_ascii=False)
            args.out.write_text(text + "\n", encoding="utf-8")
    answer = report(device, rows)
    if args.json:
        print_json(answer)
    failed = [row.name for row in rows if not row.passed]
    print(summary(answer, failed), file=sys.stderr)
    return 1 if failed else 0


def all_rows(device: Device) -> Iterator[CheckRow]:
    """The solves, whole models, different trees in one run, all that a run can have, and several
    devices where there are more."""
    yield from check_solves(device)
    yield from check_models(device)
    yield from check_populations(device)
    yield from check_everything(device)
    yield from check_several([partial(cupy_device, k) for k in range(count_devices())], device)


def report(device: Device, rows: list[CheckRow]) -> dict[str, Any]:
    """What a program reads; a difference that is no number is null."""
    found = [asdict(row) | {"passed": row.passed} for row in rows]
    for entry in found:
        entry["error"] = entry["error"] if entry["error"] < float("inf") else None
    return {
        "device": asdict(device.properties),
        "n_failed": sum(not row.passed for row in rows),
        "rows": found,
    }


def line(row: CheckRow) -> str:
    """One row of the table."""
    if row.problem:
        return f"FAILED  {row.kind:5}  {row.name:{WIDTH}}  {row.cells:8}  {row.problem}"
    bits = {True: "bits as serial", False: "BITS DIFFER", None: ""}[row.serial_bits]
    twice = {True: "twice the same", False: "DIFFERS AGAIN", None: "atomic: may differ"}
    start = f"{'ok' if row.passed else 'FAILED':6}  {row.kind:5}  {row.name:{WIDTH}}"
    return (
        f"{start}  {row.cells:8}  {row.n_step:6} steps  {row.memory:6}  {row.error:8.1e}  "
        f"{twice[row.same_twice]:18}  {bits}"
    ).rstrip()


def summary(answer: dict[str, Any], failed: list[str]) -> str:
    """The last line, for people."""
    device = answer["device"]
    name = f"{device['name']} (compute capability {'.'.join(map(str, device['capability']))})"
    if not failed:
        return f"{name}: all {len(answer['rows'])} checks passed"
    return f"{name}: {len(failed)} of {len(answer['rows'])} checks failed: {', '.join(failed)}"
