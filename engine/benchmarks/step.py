"""Time of a step: the engine beside NEURON, CoreNEURON, Arbor and Jaxley on the same trees.

Every measurement runs in a process of its own, one after the other. The number is wall time over
compartments, copies and steps, the median of a few rounds after one that is not counted; beside it
stands processor time, which is the one to compare on a machine with other load, for one thread;
compiling and building are kept apart. A compartment is a piece of membrane (five to a branch),
whatever nodes a program adds. Double precision; NEURON's rate tables are off, as no other program
has any.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import engine
from engine.backends.cpu import available_cores
from engine.benchmarks.trees import BRANCHES, write_tree

PEERS = {
    "dendview": ("run_dendview.py",),
    "neuron": ("run_neuron.py",),
    "coreneuron": ("run_neuron.py", "core"),
    "arbor": ("run_arbor.py",),
    "jaxley": ("run_jaxley.py",),
}
"""Script and words of each program; the first one is this engine."""
OURS = "dendview"
CASES = ("passive", "hh", "synaptic")
SCRIPTS = Path(__file__).parent / "peers"
TIMEOUT = 900.0
"""Seconds for one measurement."""
GUESS = {"passive": 15.0, "hh": 60.0, "synaptic": 20.0}
"""ns per compartment and step, from which the number of steps follows."""
ROUND = 0.25
"""Seconds that a round should take at least."""


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    case: str
    size: int
    copies: int
    threads: int

    @property
    def name(self) -> str:
        return f"{self.case}_{self.size}x{self.copies}_{self.threads}t"


def settings(quick: bool = False, cores: int | None = None) -> Iterator[Setting]:
    """Every row; ``quick`` is 1,000 and 5,000 compartments, passive and hh."""
    cores = cores or available_cores()
    for case in CASES[: 2 if quick else 3]:
        for size in (1000, 5000) if quick else BRANCHES:
            for copies in (1, 8 if size > 5000 else 64):
                for threads in dict.fromkeys((1, cores)):
                    yield Setting(case, size, copies, threads)


def measure(
    chosen: list[Setting],
    peers: tuple[str, ...] = tuple(PEERS),
    python: str = sys.executable,
    rounds: int = 3,
) -> Iterator[tuple[Setting, dict[str, Any]]]:
    """Every row with the answers of all programs.

    Parameters
    ----------
    chosen
    peers
        Names of :data:`PEERS`.
    python
        The Python that has the peers installed.
    rounds

    Yields
    ------
    setting, answers by program
        ``ns`` and what else a program said, or ``missing`` with the reason.
    """
    with tempfile.TemporaryDirectory() as folder:
        for setting in chosen:
            path = Path(folder) / f"tree{setting.size}.swc"
            if not path.exists():
                write_tree(path, BRANCHES[setting.size])
            yield setting, compare({p: run(p, setting, path, python, rounds) for p in peers})


def run(peer: str, setting: Setting, path: Path, python: str, rounds: int) -> dict[str, Any]:
    """One program on one row, in a process of its own."""
    if reason := left_out(peer, setting):
        return {"missing": reason}
    n_comp = 5 * (BRANCHES[setting.size] + 1)
    work = n_comp * setting.copies * GUESS[setting.case]
    n_step = max(4, min(4000, round(ROUND * 1e9 / work)))
    task = {
        "swc": str(path), "case": setting.case, "copies": setting.copies,
        "threads": setting.threads, "n_step": n_step, "n_round": rounds,
    }  # fmt: skip
    script, *words = PEERS[peer]
    root = str(Path(engine.__file__).parents[1])
    ours = peer == OURS
    environment = {**os.environ, "OMP_NUM_THREADS": str(setting.threads)}
    if ours:
        environment["PYTHONPATH"] = root
    try:
        done = subprocess.run(
            [sys.executable if ours else python, str(SCRIPTS / script), json.dumps(task), *words],
            capture_output=True, text=True, timeout=TIMEOUT, env=environment, cwd=path.parent,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"missing": f"took more than {TIMEOUT:g} s"}
    except OSError as error:
        return {"missing": str(error)}
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines or not lines[-1].startswith("{"):
        said = done.stderr.strip().splitlines()
        return {"missing": said[-1] if said else f"ended with status {done.returncode}"}
    answer = json.loads(lines[-1])
    if "missing" in answer:
        return answer
    scale = 1e9 / (n_comp * setting.copies * n_step)
    seconds, spent = answer.pop("seconds"), answer.pop("cpu_seconds")
    answer |= {
        "ns": median(seconds) * scale,
        "cpu_ns": median(spent) * scale,
        "lowest_ns": min(seconds) * scale,
        "highest_ns": max(seconds) * scale,
        "n_step": n_step,
    }
    if "bytes" in answer:
        answer["bytes_per_compartment"] = answer.pop("bytes") / (n_comp * setting.copies)
    return answer


def left_out(peer: str, setting: Setting) -> str | None:
    """Why a program is not asked, if so."""
    if setting.case == "synaptic":
        return "the synaptic case is not yet part of the benchmark"
    if peer == "jaxley" and setting.size > 5000:
        return "reading the tree takes minutes"
    if peer == "jaxley" and setting.threads > 1 and setting.copies == 1:
        return "one cell runs on one core"
    return None


def compare(answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Add how many times as fast as the fastest peer the engine is, in wall and processor time."""
    result: dict[str, Any] = dict(answers)
    for key, ratio in (("cpu_ns", "cpu_ratio"), ("ns", "ratio")):
        times = {p: a[key] for p, a in answers.items() if p != OURS and key in a}
        if times and key in answers.get(OURS, {}):
            result["fastest_peer"] = min(times, key=lambda peer: times[peer])
            result[ratio] = min(times.values()) / answers[OURS][key]
    return result


def machine() -> dict[str, Any]:
    """What the numbers were taken on."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return {
        "processor": name,
        "cores": available_cores(),
        "python": platform.python_version(),
        "dendview": engine.__version__,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "unit": "ns per compartment and step",
        "task": {"dt_ms": 0.025, "usetable_hh": 0, "precision": "double"},
    }


def report(rows: list[tuple[Setting, dict[str, Any]]]) -> dict[str, Any]:
    """All rows as one document."""
    return {**machine(), "rows": [{**asdict(s), **answers} for s, answers in rows]}
