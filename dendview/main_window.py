"""The main window: toolbar, start page or cell, panels around it, timeline and status bar."""

import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QEvent, QSize, Qt
from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

from dendview.actions import PERSPECTIVES, Actions, Situation, fill_menus
from dendview.cell_pane import CellPane
from dendview.colors import THEMES
from dendview.controllers.bundle import Controllers
from dendview.controllers.engine import chip_text
from dendview.controllers.files import title
from dendview.diagnosis import OpenGL
from dendview.docks import Docks
from dendview.history import Undoable
from dendview.opening import open_dropped, open_source
from dendview.resources import app_icon, line_icon
from dendview.settings import Settings
from dendview.state import AppState, Job, Perspective
from dendview.status_bar import StatusBar
from dendview.theme_qt import derived_colors
from dendview.views.engine_popup import EnginePopup
from dendview.views.start_page import StartPage
from dendview.widgets.drops import dropped_path
from dendview.widgets.garbage import Collector
from dendview.widgets.search_palette import SearchPalette
from dendview.widgets.timers import make_timer
from dendview.widgets.toast import Toast

TIMELINE_HEIGHT = 42
RESTYLED = (QEvent.Type.StyleChange, QEvent.Type.Polish, QEvent.Type.Show)
POLL_MS = 33
"""How often the engine is asked and a playing timeline moves on."""


class MainWindow(QMainWindow):
    """Holds the widgets and follows the state; :mod:`dendview.wiring` joins both to controllers.

    Parameters
    ----------
    state, controllers, settings
    gl
        What draws the 3-D view, for the status bar.
    handlers
        Makes the handlers of all actions for this window.
    """

    def __init__(
        self,
        state: AppState,
        controllers: Controllers,
        settings: Settings,
        gl: OpenGL,
        handlers: Callable[["MainWindow"], dict[str, Callable[[], object]]],
    ) -> None:
        super().__init__()
        self.state, self.controllers, self.settings, self.gl = state, controllers, settings, gl
        self.garbage = Collector(self)
        self.reading = ""  # the source that is being read
        self.reading_job: Job | None = None
        self.sheet: QDialog | None = None  # the last window over this one
        self.context_menu: QMenu | None = None
        self._shown: Perspective = "start"
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.resize(1600, 1000)
        self._make_center()
        self.actions_table = Actions(self, handlers(self))
        bar = self.menuBar()
        assert bar is not None
        self.menus: dict[str, QMenu] = fill_menus(bar, self.actions_table)
        self._make_toolbar()
        self.docks = Docks(self, state)
        self._make_timeline()
        self.status = StatusBar(state)
        self.status.show_renderer(gl.label, gl.advice or gl.version)
        self.setStatusBar(self.status)
        for name in ("fit", "align"):
            self.pane.add_button(self.actions_table[name])
        self._refresh_timer = make_timer(self, 0, self.refresh, once=True)
        self.poll_timer = make_timer(self, POLL_MS, self._poll)
        self._polled = time.monotonic()
        self._follow_state()
        self.refresh()

    # Making

    def _make_center(self) -> None:
        self.center = QStackedWidget()
        self.start_page = StartPage(self.state)
        self.pane = CellPane(self.state)
        self.center.addWidget(self.start_page)
        self.center.addWidget(self.pane)
        self.setCentralWidget(self.center)
        self.toast = Toast(self.center)

    def _make_toolbar(self) -> None:
        bar = QToolBar("Toolbar")
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QSize(18, 18))
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addToolBar(bar)
        table = self.actions_table
        bar.addAction(table["open"])
        bar.addWidget(_space(6))
        bar.addWidget(self._make_segments())
        bar.addWidget(_space(6))
        self.run_button = QToolButton()
        self.run_button.setObjectName("run")
        self.run_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.run_button.setMinimumWidth(92)
        self.run_button.clicked.connect(self._on_run)
        bar.addWidget(self.run_button)
        bar.addAction(table["undo"])
        bar.addAction(table["redo"])
        bar.addWidget(_stretch())
        self.search = QToolButton()
        self.search.setObjectName("search")
        self.search.setText("Search actions    Ctrl+K")
        self.search.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.search.setToolTip(table["palette"].toolTip())
        self.search.clicked.connect(table["palette"].trigger)
        bar.addWidget(self.search)
        bar.addWidget(_space(4))
        self.chip = QToolButton()
        self.chip.setObjectName("chip")
        self.chip.setAccessibleName("Engine")
        self.chip.clicked.connect(lambda: self.engine_popup.open_below(self.chip))
        bar.addWidget(self.chip)
        self.engine_popup = EnginePopup(self.state, self)
        self.toolbar = bar

    def _make_segments(self) -> QWidget:
        holder = QWidget()
        holder.setObjectName("segments")
        holder.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(holder)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        self.segments = QButtonGroup(self)
        self.segments.setExclusive(False)
        for name in PERSPECTIVES:
            button = QToolButton()
            button.setDefaultAction(self.actions_table[f"perspective:{name}"])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.segments.addButton(button)
            row.addWidget(button)
        return holder

    def _make_timeline(self) -> None:
        self.timeline = _Strip("Timeline")
        self.timeline.setObjectName("timeline")
        self.timeline.setMovable(False)
        self.timeline.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.players = QStackedWidget()
        self.players.setFixedHeight(TIMELINE_HEIGHT)
        for player in dict.fromkeys(self.docks.players.values()):
            self.players.addWidget(player)
        self.timeline.addWidget(self.players)
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, self.timeline)
        self.timeline.hide()

    # Following the state

    def _follow_state(self) -> None:
        events = self.state.events
        events.perspective.connect(self.show_perspective)
        for event in (
            events.cell, events.experiment, events.perspective, events.selection, events.picking,
            events.color_by,
            events.method, events.n_threads, events.nodes, events.schedule, events.step,
            events.playing, events.runs, events.shown_run, events.job, events.engine,
            events.preflight, events.theme,
            events.lab_study, events.lab_runs, events.lab_shown, events.lab_point,
            events.lab_deviation, events.lab_published,
            events.training_plan, events.training_data, events.training_runs,
            events.training_shown, events.training_choice,
        ):  # fmt: skip
            event.connect(self.refresh_soon)
        events.theme.connect(self._color_icons)
        self._color_icons()

    def _poll(self) -> None:
        """Hear the engine, and move a playing schedule on by the time that has passed."""
        now = time.monotonic()
        self.controllers.run.poll()
        self.controllers.run_time.poll()
        self.controllers.spike_lab.poll()
        self.controllers.robustness.poll()
        self.controllers.training.poll()
        self.controllers.training_fetch.poll()
        if self.state.playing == "schedule":
            self.controllers.schedule.tick(now - self._polled)
        self.controllers.race.tick(now - self._polled)
        self._polled = now

    def refresh_soon(self, *_: object) -> None:
        """Bring buttons and menus in step with the state, once after many changes."""
        self._refresh_timer.start()

    def refresh(self) -> None:
        """Bring buttons and menus in step with the state now."""
        state, experiment = self.state, self.controllers.experiment
        reading = bool(self.reading)
        edited: Undoable = experiment
        if state.perspective == "spike_lab":
            edited = self.controllers.spike_plan
        elif state.perspective == "training":
            edited = self.controllers.training_plan
        situation = Situation(state, edited.can_undo, edited.can_redo, reading)
        self.actions_table.update(situation)
        name = title(state.cell)
        self.setWindowTitle(f"{name} — DendView" if name else "DendView")
        running = state.job is not None and state.job is not self.reading_job
        action = self.actions_table["cancel" if running else "run"]
        self.run_button.setText("Cancel" if running else "Run")
        self.run_button.setToolTip(
            action.toolTip() + (f"\n{state.preflight}" if state.preflight else "")
        )
        self.run_button.setEnabled(action.isEnabled())
        if self.run_button.property("busy") != running:
            self.run_button.setProperty("busy", running)
            if (style := self.run_button.style()) is not None:
                style.unpolish(self.run_button)
                style.polish(self.run_button)
        self._color_run_button(running)
        self.chip.setText(chip_text(state))
        why = state.no_gpu or state.engine_note
        self.chip.setToolTip(why or "What computes; click to choose or test it.")

    def _color_icons(self, *_: object) -> None:
        colors = derived_colors(THEMES[self.state.theme])
        for name in ("open", "undo", "redo", "fit"):
            self.actions_table[name].setIcon(line_icon(name, colors["text"], colors["disabled"]))
        self.actions_table["align"].setIcon(line_icon("apical", colors["text"], colors["disabled"]))
        self.search.setIcon(line_icon("search", colors["muted"], colors["disabled"]))
        self._color_run_button(bool(self.run_button.property("busy")))

    def _color_run_button(self, running: bool) -> None:
        colors = derived_colors(THEMES[self.state.theme])
        ink = colors["on_error"] if running else colors["on_done"]
        self.run_button.setIcon(line_icon("cancel" if running else "run", ink, colors["disabled"]))

    def _on_run(self) -> None:
        self.controllers.picking.stop()
        self.actions_table["cancel" if self.run_button.property("busy") else "run"].trigger()

    # Perspectives

    def show_perspective(self, perspective: Perspective) -> None:
        """Keep the layout of the perspective that is left and bring that of the new one."""
        if perspective == self._shown:
            return
        self.keep_layout()
        self._shown = perspective
        held = self.focusWidget()
        center = self.start_page if perspective == "start" else self.pane.view
        self.center.setCurrentWidget(self.start_page if perspective == "start" else self.pane)
        self.lay_out()
        (held if held is not None and held.isVisible() else center).setFocus()

    def keep_layout(self) -> None:
        """Remember how the person has arranged this perspective."""
        if self._shown != "start":
            self.settings.set_layout(self._shown, self.saveState())

    def lay_out(self) -> None:
        """Bring the remembered layout of the perspective, or the one it comes with."""
        kept = self.settings.layout(self._shown)
        if kept is None or not self.restoreState(kept):
            self._arrange()
        self._show_timeline()

    def _arrange(self) -> None:
        """Arrange the panels; the cell, which would be drawn at every size between, looks away."""
        self.pane.view.hide()
        self.docks.arrange(self._shown)
        self.pane.view.show()

    def reset_layout(self) -> None:
        """Put the panels of this perspective back where they belong."""
        self._arrange()
        self._show_timeline()
        self.keep_layout()

    def _show_timeline(self) -> None:
        """The player of the perspective, or none."""
        player = self.docks.players.get(self._shown)
        if player is not None:
            self.players.setCurrentWidget(player)
        self.timeline.setVisible(player is not None)

    # Windows over the window

    def open_palette(self) -> None:
        """Search all that the menus hold."""
        bar = self.menuBar()
        assert bar is not None
        self.refresh()
        self.sheet = SearchPalette(bar, self)
        self.sheet.show()

    def show_sheet(self, dialog: QDialog) -> None:
        """Open a dialog over the window; the window lives on behind it."""
        self.sheet = dialog
        dialog.open()

    # Files

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and dropped_path(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        if event is not None and (path := dropped_path(event.mimeData())):
            event.acceptProposedAction()
            open_dropped(self, path)

    def open_source(self, source: str, perspective: Perspective | None = None) -> None:
        """Read a cell in the background and show it; the last one asked for wins."""
        open_source(self, source, perspective)

    @property
    def folder(self) -> str:
        """Where file dialogs begin."""
        return self.settings.folder or str(Path.home())

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.poll_timer.stop()
        for dialog in self.findChildren(QDialog):
            dialog.close()
        self.keep_layout()
        self.settings.geometry = self.saveGeometry()
        self.controllers.training.close()
        self.controllers.run.close()
        self.garbage.end()
        self.pane.view.close()
        super().closeEvent(event)


class _Strip(QToolBar):
    """A toolbar that leaves no room around what it holds, in any style."""

    def event(self, event: QEvent | None) -> bool:
        done = super().event(event)
        if (row := self.layout()) is not None and event is not None and event.type() in RESTYLED:
            row.setContentsMargins(0, 0, 0, 0)
        return done


def _space(width: int) -> QWidget:
    space = QWidget()
    space.setFixedWidth(width)
    return space


def _stretch() -> QWidget:
    space = QWidget()
    space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return space
