"""Every edit of the experiment: checked, undoable, and the cell cut anew where it has to be."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from dendview.attached_fields import NOUNS, Group
from dendview.attaching import new_synapse, new_voltage_clamp, new_waveform, start_of
from dendview.controllers.cells import rebuild, same_cut
from dendview.first_clamp import amplitude_at
from dendview.history import History
from dendview.membranes import published_in, short_title, with_recipe
from dendview.removing import lost_text, without_item, without_lost_probes
from dendview.state import AppState, Cell, Message
from dendview.wording import place, plural, variable_text
from engine.errors import UserError
from engine.experiment import Experiment, Probe
from engine.recipes import RECIPES
from engine.stimuli import CurrentClamp, Site
from engine.synapses import Source
from engine.validation import experiment_mechanisms, placed_mechanism, validate

runnable = partial(validate, kept=False)
"""What fits into no memory can still be run: less is kept of it, or on disk."""


class ExperimentController:
    """Replaces ``state.experiment``, and ``state.cell`` where its segments change.

    Parameters
    ----------
    state
    check
        Raises :class:`UserError` where an experiment cannot be run on a tree.
    """

    def __init__(self, state: AppState, check: Callable[..., None] = runnable) -> None:
        self.state = state
        self._check = check
        self._history: History[Experiment] | None = None
        self._gone: tuple[Probe, ...] = ()  # that went with the last edit of the membrane
        state.events.experiment.connect(self._on_experiment)
        self._on_experiment(state.experiment)

    # Edits

    def replace(self, experiment: Experiment) -> bool:
        """Take a changed experiment; False, with a message, where it cannot be run."""
        self._gone = ()
        if self._history is None or experiment == self._history.present:
            return False
        if (here := self._here()) is not None and any(
            getattr(experiment, field) != getattr(self._history.present, field)
            for field in ("insertions", "mechanism_folders")
        ):
            removed = without_lost_probes(experiment, here[0])
            experiment, self._gone = removed.experiment, removed.probes
        done = self._show(self._history.add(experiment))
        if done and self._gone:
            self._say(f"The membrane is changed; {lost_text(self._gone)}. Ctrl+Z brings it back.")
        return done

    def edit(self, **changes: Any) -> bool:
        """Replace fields of the experiment: ``edit(dt=0.0125)``."""
        experiment = self.state.experiment
        return experiment is not None and self.replace(replace(experiment, **changes))

    def add_clamp(self, segment: int) -> bool:
        """A current clamp in the middle of a segment, in the middle third of the run."""
        if (here := self._here()) is None:
            return False
        cell, experiment = here
        third, amplitude = start_of(experiment), amplitude_at(experiment, cell, segment)
        clamp = CurrentClamp(cell.site(segment), third, third, amplitude)
        return self.edit(stimuli=(*experiment.stimuli, clamp))

    def add_waveform(self, segment: int, kind: str) -> bool:
        """A ``ramp``, ``sine`` or ``noise`` in the middle of a segment."""
        if (here := self._here()) is None:
            return False
        cell, experiment = here
        amplitude = amplitude_at(experiment, cell, segment)
        wave = new_waveform(kind, cell.site(segment), experiment, amplitude)
        return self.edit(waveforms=(*experiment.waveforms, wave))

    def add_voltage_clamp(self, segment: int) -> bool:
        """A voltage clamp in the middle of a segment; one to a place."""
        if (here := self._here()) is None:
            return False
        cell, experiment = here
        clamp = new_voltage_clamp(cell.site(segment), experiment)
        if any(clamp.site == other.site for other in experiment.voltage_clamps):
            self._say(f"The voltage of {place(clamp.site)} is clamped already.")
            return False
        return self.edit(voltage_clamps=(*experiment.voltage_clamps, clamp))

    def add_synapse(self, segment: int, mechanism: str) -> bool:
        """A point process in the middle of a segment, with events of its own."""
        cell = self.state.cell
        return cell is not None and self.add_synapse_at(cell.site(segment), mechanism)

    def add_synapse_at(self, site: Site, mechanism: str, source: Source | None = None) -> bool:
        """A point process at a place, with a source of events or with events of its own."""
        if (experiment := self.state.experiment) is None:
            return False
        try:
            known = experiment_mechanisms(experiment)
            found = placed_mechanism(mechanism, known)
        except UserError as error:
            self.state.message = Message(str(error), "error")
            return False
        synapse = new_synapse(found, site, experiment)
        if source is not None:
            synapse = replace(synapse, source=source)
        return self.edit(synapses=(*experiment.synapses, synapse))

    def remove(self, group: Group, index: int) -> bool:
        """Take one item of a group off the cell, and what is recorded of it; undo brings both."""
        if (here := self._here()) is None:
            return False
        cell, experiment = here
        removed = without_item(experiment, cell, group, index)
        done = self.replace(removed.experiment)
        if done and removed.probes:
            site = place(getattr(experiment, group)[index].site)
            what = f"The {NOUNS[group]} at {site} is removed; {lost_text(removed.probes)}."
            self._say(f"{what} Ctrl+Z brings it back.")
        return done

    def add_probe(self, segment: int, variable: str = "v") -> bool:
        """Record a variable in the middle of a segment; once is enough."""
        if (here := self._here()) is None:
            return False
        cell, experiment = here
        probe = Probe(cell.site(segment), variable)
        if probe in experiment.probes:
            what = "" if variable == "v" else f"{variable_text(variable)} of "
            self._say(f"{what}{place(probe.site)} is already recorded.")
            return False
        return self.edit(probes=(*experiment.probes, probe))

    def remove_clamp(self, index: int) -> bool:
        experiment = self.state.experiment
        return experiment is not None and self.edit(stimuli=without(experiment.stimuli, index))

    def remove_probe(self, index: int) -> bool:
        experiment = self.state.experiment
        return experiment is not None and self.edit(probes=without(experiment.probes, index))

    def edit_clamp(self, index: int, **changes: Any) -> bool:
        """Change ``delay``, ``duration``, ``amplitude`` or ``site`` of a clamp."""
        if (experiment := self.state.experiment) is None:
            return False
        clamps = list(experiment.stimuli)
        clamps[index] = replace(clamps[index], **changes)
        return self.edit(stimuli=tuple(clamps))

    def move_clamp(self, index: int, segment: int) -> bool:
        """Put a clamp into the middle of another segment."""
        cell = self.state.cell
        return cell is not None and self.edit_clamp(index, site=cell.site(segment))

    def move_probe(self, index: int, segment: int) -> bool:
        """Put a probe into the middle of another segment."""
        if (here := self._here()) is None:
            return False
        cell, experiment = here
        probes = list(experiment.probes)
        probes[index] = replace(probes[index], site=cell.site(segment))
        return self.edit(probes=tuple(probes))

    def put_membrane(self, name: str) -> bool:
        """A published membrane on the open cell; says what was set."""
        if (here := self._here()) is None:
            return False
        cell, experiment = here
        try:
            applied = with_recipe(experiment, name, cell)
        except UserError as error:
            self.state.message = Message(str(error), "error")
            return False
        info, after = RECIPES[name], applied.experiment
        if after == experiment:
            self._say(f"The cell has the membrane of {short_title(info)} already.")
            return False
        if not self.replace(after):
            return False
        kinds = len({insertion.mechanism for insertion in after.insertions})
        parts = [
            plural(kinds, "mechanism"),
            f"{after.celsius:g} °C",
            f"from {after.v_init:g} mV".replace("-", "−"),
        ]
        if after.axon == "stub":
            parts.append("the axon as a stub")
        if applied.lost:
            parts.append(f"without {plural(applied.lost, 'thing')} that sat on the old axon")
        if self._gone:
            parts.append(lost_text(self._gone))
        text = f"Membrane of {short_title(info)}: {', '.join(parts)}."
        self.state.message = Message(text, "done", f"{info.source}\n{info.note}.")
        return True

    def halve_dt(self) -> bool:
        """Half the time step, the way out of an unstable run."""
        experiment = self.state.experiment
        return experiment is not None and self.edit(dt=experiment.dt / 2)

    # Undo

    @property
    def can_undo(self) -> bool:
        return self._history is not None and self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history is not None and self._history.can_redo

    def undo(self) -> bool:
        """Back to the experiment before; says what was taken back."""
        return self._go("Undone", History.undo)

    def redo(self) -> bool:
        """Forward to the experiment that was undone."""
        return self._go("Redone", History.redo)

    def _go(self, word: str, step: Callable[[History[Experiment]], History[Experiment]]) -> bool:
        before = self._history
        if before is None or (after := step(before)) is before:
            return False
        if not self._show(after):
            return False
        one, other = before.present, after.present
        what = describe(other, one) if word == "Undone" else describe(one, other)
        self._say(f"{word}: {what}")
        return True

    # The state

    def _here(self) -> tuple[Cell, Experiment] | None:
        cell, experiment = self.state.cell, self.state.experiment
        return None if cell is None or experiment is None else (cell, experiment)

    def _show(self, history: History[Experiment]) -> bool:
        """Make the present of a history the experiment, if it can be run; the cell goes along."""
        if (here := self._here()) is None:
            return False
        cell, before = here
        after = history.present
        try:
            new = cell if same_cut(before, after) else rebuild(cell, after)
            self._check(after, new.trees[after.nodes])
        except UserError as error:
            self.state.message = Message(str(error), "error")
            return False
        self._history = history
        if new is not cell:
            self._swap(cell, new)
        self.state.experiment = after
        return True

    def _swap(self, old: Cell, new: Cell) -> None:
        """Put the newly cut cell into the state; what means a segment moves to the same place."""
        state = self.state
        selected = None if state.selection is None else old.site(state.selection)
        state.playing = ""
        state.selection = state.hovered = state.shown_run = None
        state.schedule = None
        state.cell = new
        state.selection = None if selected is None else find(new, selected)

    def _on_experiment(self, experiment: Experiment | None) -> None:
        """An experiment from elsewhere, such as with another cell, begins a new history."""
        if self._history is None or experiment is not self._history.present:
            self._history = None if experiment is None else History(experiment)

    def _say(self, text: str) -> None:
        self.state.message = Message(text)


def find(cell: Cell, site: Site) -> int | None:
    """The segment of a site, None where the cell does not have it."""
    return cell.segment(site) if site.section in cell.sections.name else None


def without(items: tuple[Any, ...], index: int) -> tuple[Any, ...]:
    """A tuple less one of its items."""
    return items[:index] + items[index + 1 :]


def describe(before: Experiment, after: Experiment) -> str:
    """What an edit changed, in a few words."""
    if before.insertions != after.insertions and (info := published_in(after)) is not None:
        return f"put on the membrane of {short_title(info)}"
    for name, noun in (*NOUNS.items(), ("probes", "probe")):
        one, other = getattr(before, name), getattr(after, name)
        if one == other:
            continue
        if len(one) < len(other):
            new = next((x for x in other if x not in one), other[-1])
            return f"add {noun} at {place(new.site)}"
        if len(one) > len(other):
            gone = next((x for x in one if x not in other), one[-1])
            return f"remove {noun} at {place(gone.site)}"
        changed = next(b for a, b in zip(one, other, strict=True) if a != b)
        return f"change {noun} at {place(changed.site)}"
    words = {
        "duration": "duration",
        "dt": "time step",
        "celsius": "temperature",
        "v_init": "initial voltage",
        "insertions": "mechanisms",
        "mechanism_folders": "folders of mechanisms",
        "cables": "cable",
        "rule": "cutting rule",
        "axon": "axon",
        "nodes": "node set",
        "spike_threshold": "spike threshold",
        "spike_site": "spike site",
    }
    changed_fields = [w for f, w in words.items() if getattr(before, f) != getattr(after, f)]
    return "change " + (", ".join(changed_fields) or "experiment")
