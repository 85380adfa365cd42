"""What clicks in the project tree do: show the thing on the cell, or open its parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from dendview.attached_fields import NOUNS, Group, fields_of, source_text
from dendview.attaching import mechanisms_of
from dendview.describe import parameters
from dendview.dialogs.parameters import Field, ParametersDialog
from dendview.spine_places import shape_of
from dendview.state import Picking
from dendview.views.project_tree import Item
from dendview.wording import place, quantity, variable_text
from engine.distributions import Distribution
from engine.experiment import Experiment

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def select_item(window: MainWindow, item: Item) -> None:
    """A click: show the thing on the cell."""
    state, selection = window.state, window.controllers.selection
    cell, experiment = state.cell, state.experiment
    if cell is None or experiment is None:
        return
    if item.kind == "cell":
        selection.clear()
    elif item.kind == "probes":
        selection.select_probe(item.index)
    elif item.kind == "spines":
        selection.select_site(experiment.spines[item.index].site)
    elif item.kind in NOUNS:
        selection.select_site(getattr(experiment, item.kind)[item.index].site)


def remove_item(window: MainWindow, item: Item) -> None:
    """Delete on what sits on the cell, on a probe or a run."""
    controllers = window.controllers
    if item.kind == "probes":
        controllers.experiment.remove_probe(item.index)
    elif item.kind == "study":
        controllers.spike_lab.discard(item.index)
    elif item.kind == "training":
        controllers.training.discard(item.index)
    elif item.kind == "run":
        controllers.run.discard(item.index)
    elif item.kind in NOUNS:
        controllers.experiment.remove(cast(Group, item.kind), item.index)


def pick_for_item(window: MainWindow, item: Item) -> None:
    """Ask for the other end of a gap junction, or for the place whose spikes drive a synapse."""
    if (experiment := window.state.experiment) is None:
        return
    site = getattr(experiment, item.kind)[item.index].site
    purpose: Literal["other_end", "source"] = (
        "other_end" if item.kind == "gap_junctions" else "source"
    )
    window.controllers.picking.begin(Picking(purpose, site, index=item.index))


def open_item(window: MainWindow, item: Item) -> None:
    """A double click: the parameters of the thing, or the run in front."""
    if window.state.experiment is None:
        return
    if item.kind == "run":
        window.state.perspective = "simulate"
        window.controllers.run.show(item.index)
    elif item.kind == "study":
        window.state.perspective = "spike_lab"
        window.controllers.spike_lab.show(item.index)
    elif item.kind == "training":
        window.state.perspective = "training"
        window.controllers.training.show(item.index)
    elif item.kind == "cell":
        window.controllers.selection.clear()
        window.docks.by_name["inspector"].show()
        window.docks.by_name["inspector"].raise_()
    else:
        select_item(window, item)
        window.show_sheet(parameters_dialog(window, item))


def parameters_dialog(window: MainWindow, item: Item) -> ParametersDialog:
    """The dialog for a cable, a mechanism, a probe or what sits on the cell."""
    experiment = window.state.experiment
    assert experiment is not None  # there is no item without one
    if item.kind in NOUNS:
        return attached_dialog(window, experiment, item.index, cast(Group, item.kind))
    make = {"cable": cable_dialog, "mechanism": mechanism_dialog, "probes": probe_dialog,
            "spines": spine_dialog}[item.kind]  # fmt: skip
    return make(window, experiment, item.index)


def cable_dialog(window: MainWindow, experiment: Experiment, i: int) -> ParametersDialog:
    """Capacitance and axial resistivity of a region."""
    cable = experiment.cables[i]
    fields = [Field("axial resistivity", cable.ra, "Ω·cm", 1e-6, 1e6, 10.0)]
    rows: list[tuple[str, str]] = []
    if isinstance(cable.cm, Distribution):
        rows.append(("capacitance", quantity(cable.cm, "µF/cm²")))
    else:
        fields.insert(0, Field("capacitance", cable.cm, "µF/cm²", 1e-6, 1000.0, 0.1))

    def apply(values: dict[str, float]) -> bool:
        new = replace(cable, cm=values.get("capacitance", cable.cm), ra=values["axial resistivity"])
        cables = (*experiment.cables[:i], new, *experiment.cables[i + 1 :])
        return window.controllers.experiment.edit(cables=cables)

    return ParametersDialog(f"Cable · {cable.region}", rows, fields, apply, window)


def mechanism_dialog(window: MainWindow, experiment: Experiment, i: int) -> ParametersDialog:
    """All parameters of a mechanism, its defaults beside them."""
    insertion = experiment.insertions[i]
    known = parameters(insertion, mechanisms_of(experiment))
    fields, rows = [], []
    for p in known:
        if isinstance(p.value, Distribution):  # it changes along the cell: told, not typed
            rows.append((p.name, quantity(p.value, p.unit)))
        else:
            step = abs(p.value) / 10 or 0.1
            fields.append(Field(p.name, p.value, p.unit, step=step, default=p.default))

    def apply(values: dict[str, float]) -> bool:
        now = [(p, values.get(p.name, p.value)) for p in known]
        given = tuple((p.name, value) for p, value in now if value != p.default)
        new = replace(insertion, parameters=given)
        insertions = (*experiment.insertions[:i], new, *experiment.insertions[i + 1 :])
        return window.controllers.experiment.edit(insertions=insertions)

    rows = rows if known else [("parameters", "none")]
    title = f"{insertion.mechanism} · {insertion.region}"
    return ParametersDialog(title, rows, fields, apply, window)


def attached_dialog(
    window: MainWindow, experiment: Experiment, i: int, group: Group
) -> ParametersDialog:
    """All numbers of something that sits on a place."""
    thing = getattr(experiment, group)[i]
    known = mechanisms_of(experiment)
    numbers = fields_of(group, i, experiment, known)
    fields = [
        Field(n.label, float(n.get(experiment)), n.unit, n.minimum, n.maximum, n.step)  # type: ignore[arg-type]
        for n in numbers
    ]

    def apply(values: dict[str, float]) -> bool:
        after = experiment
        for number, field in zip(numbers, fields, strict=True):
            if values[field.name] != field.value:
                after = number.put(after, values[field.name])
        return window.controllers.experiment.replace(after)

    rows = [("site", place(thing.site))]
    if group == "synapses":
        rows.append(("source", source_text(thing)))
    if group == "gap_junctions":
        rows.append(("joined with", place(thing.other)))
    name = NOUNS[group].capitalize()
    if group == "synapses":
        name = thing.mechanism
    elif group == "waveforms":
        name = f"{thing.kind} current".capitalize()
    return ParametersDialog(f"{name} {i + 1}", rows, fields, apply, window)


def spine_dialog(window: MainWindow, experiment: Experiment, i: int) -> ParametersDialog:
    """Where a spine sits, its shape and its leak."""
    shape = shape_of(experiment, i)
    rows = [("site", place(experiment.spines[i].site))]
    for name, unit in (
        ("neck_length", "µm"), ("neck_diameter", "µm"), ("head_length", "µm"),
        ("head_diameter", "µm"), ("cm", "µF/cm²"), ("ra", "Ω·cm"), ("g_pas", "S/cm²"),
        ("e_pas", "mV"),
    ):  # fmt: skip
        value = getattr(shape, name)
        said = "that of the dendrite" if value is None else quantity(value, unit)
        rows.append((name.replace("_", " "), said))
    return ParametersDialog(f"spine[{i}]", rows, (), lambda _: True, window)


def probe_dialog(window: MainWindow, experiment: Experiment, i: int) -> ParametersDialog:
    """Where and what a probe records."""
    probe = experiment.probes[i]
    unit = " (mV)" if probe.variable == "v" else ""
    rows = [("site", place(probe.site)), ("variable", variable_text(probe.variable) + unit)]
    return ParametersDialog(f"Probe {i + 1}", rows, (), lambda _: True, window)
