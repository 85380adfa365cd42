"""Menus and messages about putting things on a place of the cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QMenu

from dendview.attached_fields import source_text
from dendview.attaching import Recordable, point_processes, recordables
from dendview.dialogs.mechanisms import MechanismsDialog
from dendview.state import Message
from dendview.wording import UNITS, place
from engine.errors import UserError
from engine.mechanism_folders import read_folder
from engine.synapses import NetStim

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def add_clamp(window: MainWindow, segment: int) -> None:
    """A clamp at a segment; the next step is to run, so go where that is seen."""
    state = window.state
    if window.controllers.experiment.add_clamp(segment) and state.cell and state.experiment:
        clamp = state.experiment.stimuli[-1]
        what = f"{clamp.amplitude:g} nA from {clamp.delay:g} to {clamp.delay + clamp.duration:g} ms"
        state.message = Message(f"Current clamp at {place(clamp.site)}: {what}. F5 runs.", "done")


def add_voltage_clamp(window: MainWindow, segment: int) -> None:
    """A voltage clamp at a segment."""
    state = window.state
    if window.controllers.experiment.add_voltage_clamp(segment) and state.experiment:
        clamp = state.experiment.voltage_clamps[-1]
        steps = zip(clamp.levels, clamp.durations, strict=True)
        what = ", then ".join(f"{level:g} mV for {lasts:g} ms" for level, lasts in steps)
        text = f"Voltage clamp at {place(clamp.site)}: {what}. F5 runs."
        state.message = Message(text.replace("-", "−"), "done")


def add_synapse(window: MainWindow, segment: int, mechanism: str) -> None:
    """A synapse at a segment."""
    state = window.state
    if window.controllers.experiment.add_synapse(segment, mechanism) and state.experiment:
        synapse = state.experiment.synapses[-1]
        what = f"{synapse.mechanism} at {place(synapse.site)}: {source_text(synapse)}"
        source = synapse.source
        if isinstance(source, NetStim):
            what = (
                f"{synapse.mechanism} at {place(synapse.site)}: {source.number} events every "
                f"{source.interval:g} ms from {source.start:g} ms on"
            )
        state.message = Message(f"{what}. F5 runs.", "done")


def add_probe(window: MainWindow, segment: int, variable: str = "v") -> None:
    """A probe at a segment."""
    state = window.state
    if window.controllers.experiment.add_probe(segment, variable) and state.experiment:
        what = "Voltage" if variable == "v" else variable
        where = place(state.experiment.probes[-1].site)
        state.message = Message(f"{what} is recorded at {where}.", "done")


def synapse_menu(window: MainWindow, segment: Callable[[], int | None]) -> QMenu:
    """The point processes of the library and of the experiment's folders, made when it opens."""
    menu = QMenu("Add &synapse", window)
    menu.setToolTipsVisible(True)

    def fill() -> None:
        menu.clear()
        if (at := segment()) is None:
            return
        for mechanism in point_processes(window.state.experiment):
            act = partial(add_synapse, window, at, mechanism.name)
            action = menu.addAction(mechanism.name, act)
            assert action is not None
            action.setToolTip(mechanism.title)
            action.setStatusTip(mechanism.title)

    menu.aboutToShow.connect(fill)
    return menu


def record_menu(window: MainWindow, segment: Callable[[], int | None]) -> QMenu:
    """All that can be recorded at a segment, by mechanism, made when it opens."""
    menu = QMenu("Record &more", window)

    def fill() -> None:
        menu.clear()
        state, at = window.state, segment()
        if at is None or state.cell is None or state.experiment is None:
            return
        try:
            found = recordables(state.cell, state.experiment, at)
        except UserError as error:
            refusal = menu.addAction(str(error))
            assert refusal is not None
            refusal.setEnabled(False)
            return
        site = state.cell.site(at)
        taken = {p.variable for p in state.experiment.probes if p.site == site}
        subs: dict[str, QMenu] = {}
        for entry in found:
            where = menu
            if entry.group:
                if entry.group not in subs:
                    subs[entry.group] = _titled(menu.addMenu(entry.group))
                where = subs[entry.group]
            action = where.addAction(text_of(entry), partial(add_probe, window, at, entry.variable))
            assert action is not None
            action.setEnabled(entry.variable not in taken)

    menu.aboutToShow.connect(fill)
    return menu


def text_of(entry: Recordable) -> str:
    """``Voltage``, ``ina (mA/cm²)``, ``m``: the mechanism's name stands over its variables."""
    if entry.variable == "v":
        return "Voltage (mV)"
    unit = UNITS.get(entry.unit, entry.unit)
    name = entry.variable
    if entry.group:
        name = name.replace(f"_{entry.group}", "")
    return f"{name} ({unit})" if unit else name


def show_mechanisms(window: MainWindow) -> None:
    """Folders of the user's own mechanisms."""
    state = window.state
    if (experiment := state.experiment) is None:
        return

    def apply(folders: tuple[str, ...]) -> bool:
        before = state.experiment
        if before is None or not window.controllers.experiment.edit(mechanism_folders=folders):
            return False
        new = [folder for folder in folders if folder not in before.mechanism_folders]
        if new:
            files = read_folder(new[-1])
            names = ", ".join(file.name for file in files if file.mechanism is not None)
            state.message = Message(f"At hand for this experiment: {names}.", "done")
            window.settings.folder = new[-1]
        else:
            state.message = Message("The folder is no longer used.", "done")
        return True

    used = experiment.mechanism_folders
    dialog = MechanismsDialog(used, window.folder, apply, state.theme, window)
    window.show_sheet(dialog)


def _titled(menu: QMenu | None) -> QMenu:
    assert menu is not None  # Qt makes the menu it is asked for
    return menu


def fill_cell_menu(window: MainWindow) -> None:
    """Synapses and recordings at the selection, for the keyboard."""
    cell_menu, membrane = window.menus["Cell"], window.menus["Cell/Membrane"]
    state = window.state

    def selection() -> int | None:
        return state.selection if state.cell is not None else None

    menus = synapse_menu(window, selection), record_menu(window, selection)
    for menu in menus:
        cell_menu.insertMenu(membrane.menuAction(), menu)
    window.menus["Cell/Synapse"], window.menus["Cell/Record"] = menus

    def follow(*_: object) -> None:
        for menu in menus:
            menu.setEnabled(selection() is not None)

    for event in (state.events.selection, state.events.cell):
        event.connect(follow)
    follow()
