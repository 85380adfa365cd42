"""Time of a step: the engine beside NEURON, CoreNEURON, Arbor and Jaxley on the same trees.

Every program builds its model in a process of its own; then they take turns, a round each, so that
other load on the machine meets them all. The number is wall time over compartments, copies and
steps, the median of the rounds after one that is not counted; beside it stands processor time,
which is the one to compare on a machine with other load, for one thread; compiling and building are
kept apart. A compartment is a piece of membrane (five to a branch),
whatever nodes a program adds. Double precision; NEURON's rate tables are off, as no other program
has any.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
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
GUESS: dict[str, dict[str, float]] = {
    "dendview": {"passive": 2.0, "hh": 9.0, "synaptic": 8.0},
    "neuron": {"passive": 16.0, "hh": 80.0, "synaptic": 20.0},
    "coreneuron": {"passive": 12.0, "hh": 55.0, "synaptic": 15.0},
    "arbor": {"passive": 11.0, "hh": 30.0, "synaptic": 12.0},
    "jaxley": {"passive": 30.0, "hh": 48.0, "synaptic": 30.0},
}
"""ns per compartment and step, from which the number of steps follows."""
ROUND = 0.25
"""Seconds that a round of one thread takes, about: cores that were idle are slow for a while."""
MAX_STEPS = 40_000


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
    rounds: int = 5,
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
            yield setting, compare(run(setting, path, peers, python, rounds))


class Contestant:
    """One program on one row, in a process of its own that takes a round when it is told to."""

    def __init__(self, peer: str, setting: Setting, path: Path, python: str) -> None:
        branches = BRANCHES[setting.size]
        self.work = 5 * (branches + 1) * setting.copies
        steps = round(ROUND * 1e9 / (self.work * GUESS[peer][setting.case]))
        self.n_step = max(4, min(MAX_STEPS, steps))
        self.said: dict[str, Any] | None = None
        self.rounds: list[tuple[float, float]] = []
        self.missing = left_out(peer, setting)
        if self.missing is None:
            self._start(peer, setting, path, python, branches)

    def _start(self, peer: str, setting: Setting, path: Path, python: str, branches: int) -> None:
        task = {
            "swc": str(path), "case": setting.case, "copies": setting.copies,
            "threads": setting.threads, "branches": branches, "n_step": self.n_step,
        }  # fmt: skip
        script, *words = PEERS[peer]
        ours = peer == OURS
        environment = {**os.environ, "OMP_NUM_THREADS": str(setting.threads)}
        if ours:
            environment["PYTHONPATH"] = str(Path(engine.__file__).parents[1])
            environment["DENDVIEW_CACHE"] = str(path.parent / "cache")  # its first use compiles
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by finish)
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable if ours else python,
                    str(SCRIPTS / script),
                    json.dumps(task),
                    *words,
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
                env=environment, cwd=path.parent,
            )  # fmt: skip
        except OSError as error:
            self.missing = str(error)

    def wait_until_ready(self) -> None:
        """Until the model is built."""
        if self.missing is None and (found := self._listen("ready")) is not None:
            self.said = found["ready"]

    def take_round(self) -> None:
        """A round of steps, unless the program has left."""
        if self.missing is not None:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended: what it said on the way is read below
        if (found := self._listen("seconds")) is not None:
            self.rounds.append((found["seconds"], found["cpu_seconds"]))

    def _listen(self, key: str) -> dict[str, Any] | None:
        """The next answer; None where the program leaves, whose reason is then kept."""
        assert self._process.stdout is not None
        late = threading.Timer(TIMEOUT, self._process.kill)
        late.start()
        try:
            for line in self._process.stdout:
                if line.startswith("{"):
                    found: dict[str, Any] = json.loads(line)
                    if key in found:
                        return found
                    self.missing = found.get("missing")
                    return None
        finally:
            in_time = late.is_alive()
            late.cancel()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines()
        status = self._process.wait()
        self.missing = said[-1] if said else f"ended with status {status}"
        if not in_time:
            self.missing = f"took more than {TIMEOUT:g} s"
        return None

    def finish(self) -> dict[str, Any]:
        """End the program; what the rounds after the first one gave, or why there are none."""
        if hasattr(self, "_process"):
            assert self._process.stdin is not None
            try:
                self._process.stdin.close()
                self._process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
        if hasattr(self, "_errors"):
            self._errors.close()
        if self.missing is not None or self.said is None:
            return {"missing": self.missing or "gave no answer"}
        answer, scale = dict(self.said), 1e9 / (self.work * self.n_step)
        seconds, spent = zip(*self.rounds[1:], strict=True)
        answer |= {
            "ns": median(seconds) * scale,
            "cpu_ns": median(spent) * scale,
            "lowest_ns": min(seconds) * scale,
            "highest_ns": max(seconds) * scale,
            "n_step": self.n_step,
        }
        if "bytes" in answer:
            answer["bytes_per_compartment"] = answer.pop("bytes") / self.work
        return answer


def run(
    setting: Setting, path: Path, peers: tuple[str, ...], python: str, rounds: int
) -> dict[str, dict[str, Any]]:
    """All programs on one row.

    The engine builds before the others start, as its time to compile is reported; the others build
    at once.
    """
    found: dict[str, Contestant] = {}
    try:
        for peer in sorted(peers, key=lambda peer: peer != OURS):
            found[peer] = Contestant(peer, setting, path, python)
            if peer == OURS:
                found[peer].wait_until_ready()
        for peer in peers:
            if peer != OURS:
                found[peer].wait_until_ready()
        for _ in range(rounds + 1):
            for contestant in found.values():
                contestant.take_round()
    finally:
        answers = {peer: contestant.finish() for peer, contestant in found.items()}
    return answers


def left_out(peer: str, setting: Setting) -> str | None:
    """Why a program is not asked, if so."""
    if peer == "jaxley" and setting.case == "synaptic":
        return "it has no synapses that events reach"
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
