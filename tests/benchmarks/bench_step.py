"""ns per compartment and step, beside NEURON: ``python -m tests.benchmarks.bench_step``.

Passive and hh everywhere, one cell on one core, on the bench trees (5 segments a section). A
compartment is a piece of membrane, so both programs are divided by the same count, whatever
massless nodes they add. Rounds of the two alternate and medians are kept, so that other load on
the machine meets both. NEURON's rate tables are off (usetable_hh = 0), as the engine has none.
"""

import argparse
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numba
import numpy as np

from engine.backends.cpu import CpuRun
from engine.discretize import Rule
from engine.experiment import Experiment, Insertion, Probe
from engine.model import build
from engine.stimuli import CurrentClamp, Site
from tests.conftest import DATA, ROOT
from tests.engine.neuron_cells import NeuronCell

LEAK = (("g", 5e-5), ("e", -65.0))
MEMBRANES = {"passive": (Insertion("pas", "all", LEAK),), "hh": (Insertion("hh"),)}
TREES = {"tree1k": 2000, "tree5k": 400, "tree50k": 60}
"""Steps of one round, some 10 to 300 ms."""
ARBOR = {"passive": 12.0, "hh": 28.0}
"""ns, Arbor 0.12.2 on one core of an AMD EPYC (Zen 4), November 2026; not measured here."""
SOMA = Site("soma[0]")


def experiment(path: Path, membrane: str) -> Experiment:
    """A clamp in the soma for ever and one probe, so that hh keeps firing."""
    return Experiment(
        str(path),
        rule=Rule("fixed", 5),
        insertions=MEMBRANES[membrane],
        stimuli=(CurrentClamp(SOMA, 0.0, 1e9, 2.0),),
        probes=(Probe(SOMA),),
        duration=1e3,
        n_threads=1,
        method="hines",
    )


def our_round(given: Experiment, n_step: int) -> tuple[Callable[[], None], int]:
    """A round of the engine, and the number of compartments."""
    model = build(given)
    run = CpuRun(model)
    run.initialize()
    return lambda: check(run.advance(n_step).bad), model.tree.n_segment


def check(bad: object) -> None:
    if bad is not None:
        raise RuntimeError(f"the run became unstable: {bad}")


def neuron_round(
    h: Any, given: Experiment, path: Path, n_step: int
) -> tuple[Callable[[], None], int]:
    """The same in NEURON, without a step through Python."""
    cell = NeuronCell(h, path)
    for section in cell.all:
        section.nseg, section.cm, section.Ra = int(given.rule.value), 1.0, 150.0
        for insertion in given.insertions:
            section.insert(insertion.mechanism)
            for name, value in insertion.parameters:
                setattr(section, f"{name}_{insertion.mechanism}", value)
    soma = cell.by_name["soma[0]"](0.5)
    clamp = h.IClamp(soma)
    clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, 2.0
    trace = h.Vector().record(soma._ref_v)
    h.usetable_hh, h.celsius, h.dt = 0, given.celsius, given.dt
    solver = h.ParallelContext()
    solver.set_maxstep(10)
    h.finitialize(given.v_init)
    kept = cell, clamp, trace

    def advance() -> None:
        assert kept
        solver.psolve(h.t + n_step * given.dt)

    return advance, sum(section.nseg for section in cell.all)


def measure(rounds: dict[str, Callable[[], None]], n_round: int) -> dict[str, dict[str, list]]:
    """Wall and CPU seconds of every round, the programs in turn."""
    taken: dict[str, dict[str, list]] = {name: {"wall": [], "cpu": []} for name in rounds}
    for number in range(n_round + 1):
        for name, advance in rounds.items():
            wall, cpu = time.perf_counter(), time.process_time()
            advance()
            if number:  # the first one warms the caches
                taken[name]["wall"].append(time.perf_counter() - wall)
                taken[name]["cpu"].append(time.process_time() - cpu)
    return taken


def case(h: Any, path: Path, membrane: str, n_step: int, n_round: int) -> dict[str, Any]:
    given = experiment(path, membrane)
    ours, n_comp = our_round(given, n_step)
    rounds = {"dendview": ours}
    if h is not None:
        rounds["neuron"], n_neuron = neuron_round(h, given, path, n_step)
        if n_neuron != n_comp:
            raise RuntimeError(f"NEURON has {n_neuron} compartments, the engine {n_comp}")
    per_step = 1e9 / n_comp / n_step
    result: dict[str, Any] = {"n_comp": n_comp, "n_step": n_step, "n_round": n_round}
    for name, taken in measure(rounds, n_round).items():
        result[name] = {
            "ns": round(statistics.median(taken["wall"]) * per_step, 2),
            "cpu_ns": round(statistics.median(taken["cpu"]) * per_step, 2),
            "lowest_ns": round(min(taken["wall"]) * per_step, 2),
            "highest_ns": round(max(taken["wall"]) * per_step, 2),
        }
    return result


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit() -> str:
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def unpacked(name: str, folder: Path) -> Path:
    """The tree's SWC file, unpacked as NEURON wants it."""
    plain = DATA / "bench" / f"{name}.swc"
    if plain.exists():
        return plain
    path = folder / plain.name
    with gzip.open(f"{plain}.gz") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", nargs="+", choices=TREES, default=list(TREES))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--without-neuron", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    args = parser.parse_args()
    h, version = None, None
    if not args.without_neuron:
        import neuron

        h, version = neuron.h, neuron.__version__
        h.load_file("stdrun.hoc")
        h.load_file("import3d.hoc")
    now = datetime.now(UTC)
    report: dict[str, Any] = {
        "what": "ns per compartment and step, one cell, one core, double precision, dt 0.025 ms",
        "device": processor(),
        "cores": os.cpu_count(),
        "date": now.isoformat(timespec="seconds"),
        "commit": commit(),
        "versions": {"numba": numba.__version__, "numpy": np.__version__, "neuron": version},
        "usetable_hh": 0,
        "arbor_elsewhere_ns": ARBOR,
        "load_before": os.getloadavg(),
        "cases": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        for tree in args.trees:
            path = unpacked(tree, Path(folder))
            for membrane in MEMBRANES:
                result = case(h, path, membrane, TREES[tree], args.rounds)
                report["cases"][f"{membrane}_{tree}"] = result
                ours = result["dendview"]
                theirs = result.get("neuron", {"ns": float("nan"), "cpu_ns": float("nan")})
                print(
                    f"{membrane:8s} {tree:8s} {result['n_comp']:6d} compartments: "
                    f"{ours['ns']:6.2f} ns (CPU {ours['cpu_ns']:.2f}), NEURON {theirs['ns']:6.2f} "
                    f"(CPU {theirs['cpu_ns']:.2f}), Arbor elsewhere {ARBOR[membrane]:g}",
                    flush=True,
                )
    report["load_after"] = os.getloadavg()
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"step_{now:%Y%m%d-%H%M%S}_{report['commit']}.json"
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"load {report['load_before'][0]:.1f} to {report['load_after'][0]:.1f}; wrote {path}")


if __name__ == "__main__":
    main()
