"""Populations as files: members by their experiments, or by recipes on morphologies."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.codec import close_match, encode
from engine.errors import FileError, UserError
from engine.experiment import FORMAT as EXPERIMENT
from engine.experiment import SAMPLE_PREFIX, Experiment
from engine.experiment import VERSION as EXPERIMENT_VERSION
from engine.experiment import from_json as experiment_from_json
from engine.population import Member, Population
from engine.recipes import apply, recipe
from engine.stimuli import CurrentClamp, Site

FORMAT = "dendview-population"
VERSION = 1
WAYS = '"experiment" (a file or an experiment itself) or "recipe"'
TEXT, NUMBER = ((str,), "a text"), ((int, float), "a number")
FIELDS: dict[str, tuple[tuple[type, ...], str]] = {
    "name": TEXT,
    "copies": ((int,), "a whole number"),
    "experiment": ((str, dict), "the path of a file or an experiment"),
    "recipe": TEXT,
    "morphology": TEXT,
    "duration": NUMBER,
    "clamp": NUMBER,
}
"""Of a member, with what they may be."""


def to_json(population: Population) -> str:
    """JSON text with a format version; :func:`from_json` gives an equal population back."""
    members = [
        {
            "name": name,
            "copies": member.copies,
            "experiment": {
                "format": EXPERIMENT,
                "version": EXPERIMENT_VERSION,
                **encode(member.experiment),
            },
        }
        for name, member in zip(population.names, population.members, strict=True)
    ]
    body = {"format": FORMAT, "version": VERSION, "members": members}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str, source: Path | None = None) -> Population:
    """Read a population.

    Every member has an ``experiment`` (the path of a file, or the experiment itself), or a
    ``recipe`` on a ``morphology`` with a ``duration`` (ms) and a ``clamp`` (nA) if wanted; beside
    that ``copies`` (1 if left out) and a ``name``.

    Parameters
    ----------
    text
    source
        The file it came from; relative paths are meant relative to it.

    Raises
    ------
    FileError
        If it is no population; says where.
    """
    file = source if source is not None else Path("population.json")
    try:
        body = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        what = f"this is not JSON ({getattr(error, 'msg', 'a number or its nesting is too long')})"
        raise FileError(file, what, "mend the text", line) from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        what = "this JSON is not a population"
        raise FileError(file, what, f'it needs "format": "{FORMAT}"')
    if body.get("version") != VERSION or isinstance(body.get("version"), bool):
        what = f"format version {body.get('version')} is not known to this program"
        raise FileError(file, what, f"it reads version {VERSION}")
    entries = body.get("members")
    if not isinstance(entries, list) or not entries:
        raise FileError(file, "it has no members", 'list them as "members": [{…}, …]')
    return Population(tuple(_member(e, k, file) for k, e in enumerate(entries)))


def read_population(path: Path) -> Population:
    """The population of a file.

    Raises
    ------
    FileError
        If it cannot be read or is none.
    """
    wanted = "give a population's file"
    try:
        return from_json(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError:
        raise FileError(path, "this is not a text file", wanted) from None
    except OSError as error:
        what = f"the population cannot be read ({error.strerror or error})"
        raise FileError(path, what, wanted) from None


def _member(entry: Any, number: int, file: Path) -> Member:
    def wrong(what: str, fix: str) -> FileError:
        return FileError(file, f"member {number}: {what}", fix)

    if not isinstance(entry, dict):
        raise wrong("this is no object", "write {…} with " + WAYS)
    for name, value in entry.items():
        if name not in FIELDS:
            raise wrong(f"there is no field '{name}'", close_match(name, list(FIELDS)))
        types, words = FIELDS[name]
        if not isinstance(value, types) or isinstance(value, bool):
            raise wrong(f"'{name}' is {json.dumps(value)}", f"write {words}")
    if ("experiment" in entry) == ("recipe" in entry):
        raise wrong("it is not clear what runs", "give either " + WAYS)
    try:
        experiment = _experiment(entry, file)
    except FileError:
        raise
    except UserError as error:
        raise wrong(str(error), "mend it there") from None
    return Member(experiment, entry.get("copies", 1), entry.get("name", ""))


def _experiment(entry: dict[str, Any], file: Path) -> Experiment:
    folder = file.parent
    if "recipe" in entry:
        morphology = entry.get("morphology")
        if morphology is not None and not morphology.startswith(SAMPLE_PREFIX):
            morphology = str(folder / morphology)
        return on_recipe(entry["recipe"], morphology, entry.get("duration"), entry.get("clamp"))
    given = entry["experiment"]
    if isinstance(given, dict):
        return experiment_from_json(json.dumps(given), file)
    path = folder / given
    try:
        return experiment_from_json(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        what = f"the experiment cannot be read ({getattr(error, 'strerror', None) or error})"
        raise FileError(path, what, "name the experiment.json of a run") from None


def on_recipe(
    name: str,
    morphology: str | None = None,
    duration: float | None = None,
    clamp: float | None = None,
) -> Experiment:
    """A published membrane on a morphology, or on the sample of its kind.

    Parameters
    ----------
    name
    morphology
        A path is made absolute, so that what is written of it can be read from anywhere.
    duration : ms
    clamp : nA
        Into the soma, in the middle third of the run.

    Raises
    ------
    UserError
        If there is no such recipe.
    """
    experiment = recipe(name)
    if morphology is not None:
        if not morphology.startswith(SAMPLE_PREFIX):
            morphology = os.path.abspath(morphology)
        experiment = apply(experiment, morphology)
    if duration is not None:
        experiment = replace(experiment, duration=duration)
    if clamp is not None:
        third = experiment.duration / 3
        injected = CurrentClamp(Site("soma[0]"), third, third, clamp)
        experiment = replace(experiment, stimuli=(injected,))
    return experiment
