"""One trial of a spike-lab folder again, with its traces and the voltage of the whole cell."""

import re
from pathlib import Path
from typing import cast

from dendview.cli.run import RECIPE, show_progress, summary, write_run
from engine.backends import choose_backend
from engine.errors import UserError
from engine.experiment import to_json
from engine.experiments.spike_store import STUDY
from engine.experiments.spike_study import CONDITIONS, Condition, SpikeStudy, Trial, read_study
from engine.experiments.spike_trials import replay_run
from engine.exporting.atomic import written_aside
from engine.recording import RecordingBuilder
from engine.types import BackendName

_NAMED = re.compile(r"([a-z-]+):(\d+):(\d+)")


def wanted_trial(text: str, study: SpikeStudy) -> Trial:
    """The trial that ``few-distributed:110:3`` means: 110 synapses, the third one.

    Raises
    ------
    UserError
        If there is no such trial in the study.
    """
    found = _NAMED.fullmatch(text)
    if found is None or found[1] not in CONDITIONS:
        raise UserError(f"'{text}' names no trial; write such as few-distributed:110:3")
    condition, n_synapses = cast(Condition, found[1]), int(found[2])
    points = study.points(condition)
    if n_synapses not in points:
        known = ", ".join(map(str, points))
        raise UserError(f"the study has no point of {n_synapses} synapses; it has {known}")
    if not 1 <= int(found[3]) <= study.n_trials:
        raise UserError(f"trial {found[3]} is not in the study, which has 1 to {study.n_trials}")
    return Trial(condition, n_synapses, int(found[3]) - 1)


def replay_trial(folder: Path, text: str, backend: BackendName) -> list[tuple[str, str]]:
    """Run a trial of a folder's study again and write it into a folder inside; gives a summary.

    Raises
    ------
    UserError
    """
    study = read_study(folder / STUDY)
    trial = wanted_trial(text, study)
    out = folder / f"{trial.condition}-{trial.n_synapses}-{trial.number + 1}"
    out.mkdir(exist_ok=True)
    chosen = choose_backend(backend)
    model, chunks = replay_run(study, trial, backend=chosen)
    with written_aside(out / RECIPE) as aside:
        aside.write_text(to_json(model.experiment), encoding="utf-8")
    builder = RecordingBuilder(model)
    for chunk in show_progress(chunks):
        builder.engine = chosen.describe()
        builder.append(chunk)
    recording = builder.recording()
    paths = write_run(recording, out)
    rows = summary(recording, 0.0)[1:]
    return [("trial", str(trial)), *rows, ("written", ", ".join(map(str, paths)))]
