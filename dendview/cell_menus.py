"""Menus about putting things on a place of the cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QMenu

from dendview.attaching import WAVEFORMS, Recordable, point_processes, recordables
from dendview.dialogs.mechanisms import MechanismsDialog
from dendview.picking import offer
from dendview.putting import (
    add_clamp,
    add_probe,
    add_synapse,
    add_voltage_clamp,
    add_waveform,
    begin_gap_junction,
    begin_synapse,
)
from dendview.state import Message
from dendview.wording import UNITS, place, variable_text
from engine.errors import UserError
from engine.mechanism_folders import read_folder

if TYPE_CHECKING:
    from dendview.main_window import MainWindow
    from engine.mechanisms import Mechanism

CHOOSE_FIRST = "Select a place on the cell first."


def synapse_menu(window: MainWindow, segment: Callable[[], int | None]) -> QMenu:
    """The point processes of the library and of the experiment's folders, made when it opens."""
    menu = QMenu("Add &synapse", window)
    menu.setToolTipsVisible(True)

    def fill() -> None:
        menu.clear()
        if window.state.experiment is None:
            return
        at, points = segment(), point_processes(window.state.experiment)
        for mechanism in points:
            _add_mechanism(menu, mechanism, add_synapse, window, at)
        menu.addSeparator()
        driven = _titled(menu.addMenu("Driven by spikes of a place"))
        for mechanism in points:
            if mechanism.receive is not None:
                _add_mechanism(driven, mechanism, begin_synapse, window, at)

    menu.aboutToShow.connect(fill)
    return menu


def _add_mechanism(
    menu: QMenu,
    mechanism: Mechanism,
    act: Callable[[MainWindow, int, str], None],
    window: MainWindow,
    segment: int | None,
) -> None:
    """An entry that puts a mechanism on a segment; gray where none is chosen."""
    action = menu.addAction(mechanism.name)
    assert action is not None
    tip = mechanism.title if segment is not None else f"{mechanism.title}. {CHOOSE_FIRST}"
    action.setToolTip(tip)
    action.setStatusTip(tip)
    action.setEnabled(segment is not None)
    if segment is not None:
        action.triggered.connect(lambda _=False: act(window, segment, mechanism.name))


def place_menu(window: MainWindow, menu: QMenu, segment: int) -> None:
    """Everything that can be put on a segment or recorded there."""
    menu.addAction("Current clamp here", partial(add_clamp, window, segment))
    played = _titled(menu.addMenu("Played current here"))
    for kind, name in WAVEFORMS.items():
        played.addAction(name, partial(add_waveform, window, kind, segment))
    menu.addAction("Voltage clamp here", partial(add_voltage_clamp, window, segment))
    menu.addMenu(synapse_menu(window, lambda: segment))
    menu.addAction("Gap junction from here…", partial(begin_gap_junction, window, segment))
    menu.addSeparator()
    menu.addAction("Record voltage here", partial(add_probe, window, segment))
    menu.addMenu(record_menu(window, lambda: segment))


def context_menu(window: MainWindow, segment: int) -> QMenu:
    """What can be done at a place on the cell."""
    state, controllers = window.state, window.controllers
    menu = QMenu(window)
    if segment >= 0 and state.cell is not None:
        heading = menu.addAction(place(state.cell.site(segment)))
        assert heading is not None
        heading.setEnabled(False)
        menu.addSeparator()
        if state.picking is not None:
            take = partial(controllers.picking.take, segment)
            menu.addAction(offer(state.picking), take)
            menu.addAction("Cancel the choice", controllers.picking.stop)
            menu.addSeparator()
        place_menu(window, menu, segment)
        menu.addSeparator()
        menu.addAction("Select", partial(controllers.selection.select, segment))
        menu.addAction("Show in inspector", partial(inspect, window, segment))
        menu.addSeparator()
    for name in ("fit", "align"):
        menu.addAction(window.actions_table[name])
    menu.addMenu(window.menus["View/Color by"])
    return menu


def show_context_menu(window: MainWindow, segment: int, position: QPoint) -> None:
    window.context_menu = context_menu(window, segment)
    window.context_menu.popup(position)


def show_place_menu(window: MainWindow, position: QPoint) -> None:
    """What can be put on the selection, or on the soma where nothing is selected."""
    if window.state.cell is None:
        return
    if window.state.selection is None:
        window.controllers.selection.select_soma()
    if (segment := window.state.selection) is not None:
        window.context_menu = QMenu(window)
        place_menu(window, window.context_menu, segment)
        window.context_menu.popup(position)


def inspect(window: MainWindow, segment: int) -> None:
    """Select a segment and bring the inspector to the front."""
    if segment < 0:
        return
    window.controllers.selection.select(segment)
    dock = window.docks.by_name["inspector"]
    dock.show()
    dock.raise_()


def record_menu(window: MainWindow, segment: Callable[[], int | None]) -> QMenu:
    """All that can be recorded at a segment, by mechanism, made when it opens."""
    menu = QMenu("Record &more", window)

    def fill() -> None:
        menu.clear()
        state, at = window.state, segment()
        if state.cell is None or state.experiment is None:
            return
        if at is None:
            nothing = menu.addAction(f"Any variable. {CHOOSE_FIRST}")
            assert nothing is not None
            nothing.setEnabled(False)
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
    name = variable_text(entry.variable)
    if entry.group:
        name = name.replace(f"_{entry.group}", "")
    return f"{name} ({unit})" if unit else name


def show_mechanisms(window: MainWindow, folder: str = "") -> None:
    """Folders of the user's own mechanisms; one that was dropped is shown first."""
    state = window.state
    if (experiment := state.experiment) is None:
        if folder:
            text = f"{Path(folder).name} holds .mod files: open a cell, then drop it again."
            state.message = Message(text, "warning")
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
    if folder:
        dialog.show_folder(folder)
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
            menu.setEnabled(state.cell is not None)

    state.events.cell.connect(follow)
    follow()
