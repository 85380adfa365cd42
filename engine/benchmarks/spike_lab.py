"""Time of a trial of the spike lab: the engine beside NEURON and CoreNEURON on the same trials.

All programs get the same cells, synapses and trains, and say which spikes they found. Each runs in
a process of its own on one core, one after the other; building and compiling are kept apart.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import engine
from engine.benchmarks.neuron_trials import described, write_mechanisms
from engine.benchmarks.step import SCRIPTS, machine
from engine.experiments.spike_study import SpikeStudy, Trial, to_json
from engine.experiments.spike_trials import Slice, prepare, run_slice, trial_experiment

PEERS = {"neuron": (), "coreneuron": ("core",)}
"""Words of each program's script."""
SCRIPT = SCRIPTS / "run_spike_neuron.py"
TIMEOUT = 3600.0
"""Seconds for one program."""
SAME = 1e-6
"""ms; spike times nearer than this are of one step, sums of steps differ in the last bits."""


def measure(
    study: SpikeStudy,
    trials: tuple[Trial, ...],
    peers: tuple[str, ...] = tuple(PEERS),
    python: str = sys.executable,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every program on the same trials, the engine first.

    Parameters
    ----------
    study
    trials
        Of one condition.
    peers
        Names of :data:`PEERS`.
    python
        The Python that has NEURON installed.

    Yields
    ------
    program, answer
        ``seconds`` and ``cpu_seconds`` of a trial and the ``spikes`` (ms) of each, or ``missing``
        with the reason.
    """
    yield "dendview", ours(study, trials)
    if not peers:
        return
    with tempfile.TemporaryDirectory(prefix="dendview-bench-") as name:
        folder = Path(name)
        experiments = [trial_experiment(study, trial) for trial in trials]
        task = described(experiments, prepare(study).sections)
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        names = {m for about in task["sections"].values() for m in about["mechanisms"]}
        write_mechanisms(sorted(names | {study.mechanism}), folder)
        said = compiled(folder, python, "coreneuron" in peers)
        for peer in peers:
            yield peer, {"missing": said} if said else theirs(peer, folder, python, len(trials))


def ours(study: SpikeStudy, trials: tuple[Trial, ...]) -> dict[str, Any]:
    """The engine in a process of its own, once for its kernels and once for the clock."""
    given = {"study": json.loads(to_json(study)), "trials": [vars(trial) for trial in trials]}
    root = str(Path(engine.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "engine.benchmarks.spike_lab"],
        input=json.dumps(given), capture_output=True, text=True, timeout=TIMEOUT, check=False,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    return answer_of(done, len(trials))


def theirs(peer: str, folder: Path, python: str, n_trial: int) -> dict[str, Any]:
    """NEURON or CoreNEURON on the task of a folder."""
    try:
        done = subprocess.run(
            [python, str(SCRIPT), "task.json", *PEERS[peer]], cwd=folder, capture_output=True,
            text=True, timeout=TIMEOUT, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"missing": f"took more than {TIMEOUT:g} s"}
    return answer_of(done, n_trial)


def answer_of(done: "subprocess.CompletedProcess[str]", n_trial: int) -> dict[str, Any]:
    """What a program printed last, times per trial; why there is nothing, if so."""
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines or not lines[-1].startswith("{"):
        said = done.stderr.strip().splitlines()
        return {"missing": said[-1] if said else f"ended with status {done.returncode}"}
    answer: dict[str, Any] = json.loads(lines[-1])
    for name in ("seconds", "cpu_seconds"):
        if name in answer:
            answer[name] /= n_trial
    return answer


def compiled(folder: Path, python: str, core: bool) -> str:
    """Let NEURON's compiler do the mechanisms of a folder; why it cannot, or nothing."""
    compiler = Path(python).with_name("nrnivmodl")
    words = [str(compiler), *(["-coreneuron"] if core else []), "."]
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"nrnivmodl does not run here ({error})"
    said = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else f"nrnivmodl: {said[-1] if said else 'failed'}"


def report(
    study: SpikeStudy, trials: tuple[Trial, ...], answers: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """All answers as one document, with how many times as fast the engine is."""
    own = answers.get("dendview", {})
    rows: dict[str, Any] = {}
    for name, answer in answers.items():
        row = rows[name] = dict(answer)
        if name != "dendview" and "seconds" in answer and "seconds" in own:
            row["ratio"] = answer["seconds"] / own["seconds"]
            row["cpu_ratio"] = answer["cpu_seconds"] / own["cpu_seconds"]
            row["same_spikes"] = same_spikes(answer["spikes"], own["spikes"])
    about = machine()
    about["unit"] = "s per trial on one core"
    about["task"] = {
        "condition": trials[0].condition,
        "synapses": trials[0].n_synapses,
        "trials": len(trials),
        "dt_ms": study.cell.dt,
        "duration_ms": study.cell.duration,
        "morphology": Path(study.cell.morphology).name,
        "segments": prepare(study).tree.n_segment,
        "spines": int(prepare(study).spines.sum()) if trials[0].condition.startswith("full") else 0,
        "precision": "double",
        "clock": "the engine's with making and building its trials, the others' without",
    }
    return {**about, "programs": rows}


def same_spikes(a: list[list[float]], b: list[list[float]]) -> bool:
    """Whether every trial has the same spikes at the same steps."""
    return len(a) == len(b) and all(
        len(x) == len(y) and all(abs(s - t) < SAME for s, t in zip(x, y, strict=True))
        for x, y in zip(a, b, strict=True)
    )


def main() -> None:
    """The engine's own side: a study and trials come as JSON, the times go back as JSON."""
    from engine.experiments.spike_study import study_from_json

    given = json.load(sys.stdin)
    study = study_from_json(json.dumps(given["study"]), Path.cwd() / "study.json")
    trials = tuple(Trial(**row) for row in given["trials"])
    task = Slice(study, trials, "cpu")
    run_slice(task)  # compiles what is not yet compiled
    begin, spent = time.perf_counter(), time.process_time()
    outcomes = run_slice(task)
    result = {
        "version": engine.__version__,
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - spent,
        "spikes": [list(outcome.spikes) for outcome in outcomes],
        "failed": [outcome.failed for outcome in outcomes if outcome.failed is not None],
    }
    print("\n" + json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
