"""The race: one lane a method, all at the same beat."""

from pathlib import Path

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from dendview.colors import OKABE_ITO, THEMES, hex_color, readable, rgb
from dendview.race import Lane, Race
from dendview.schedule_scene import METHOD_TEXTS
from dendview.state import AppState
from dendview.views.plotting import export_widget
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number

NAME_ROOM, COUNT_ROOM = 166, 206
"""Pixels for the method's name and for its steps."""
NARROW = 620
"""Pixels of a lane below which its words stand above its bar."""
NOTHING = "Every method at the same beat, one step a thread: who is through first, and why?"


class RaceView(LazyWidget):
    """Lanes of the race of the state; buttons begin, pause and end it."""

    race_clicked = pyqtSignal()
    finish_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(260, 150)
        self.go = QPushButton("Race")
        self.go.clicked.connect(self.race_clicked)
        self.end = QPushButton("To the end")
        self.end.clicked.connect(self.finish_clicked)
        self.text = QLabel(NOTHING)
        self.text.setProperty("role", "muted")
        self.text.setWordWrap(True)
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 2)
        top.setSpacing(8)
        top.addWidget(self.go)
        top.addWidget(self.end)
        top.addWidget(self.text, 1)
        self.lanes = RaceLanes(state)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.lanes, 1)
        for event in (state.events.race, state.events.playing, state.events.cell):
            event.connect(self.redraw)
        state.events.theme.connect(self.redraw)

    def _draw(self) -> None:
        state, race = self._state, self._state.race
        going = state.playing == "race"
        again = race is not None and race.over
        paused = race is not None and not going and not again
        words = "Pause" if going else "Race again" if again else "Go on" if paused else "Race"
        self.go.setText(words)
        self.go.setEnabled(state.cell is not None)
        self.end.setVisible(race is not None and not race.over)
        self.text.setText(NOTHING if race is None else told(race))
        self.lanes.update()

    def export(self, path: str | Path) -> None:
        """Write the lanes as ``.png`` or ``.svg``, or their steps as ``.csv``.

        Raises
        ------
        UserError
            If the ending is another or the file cannot be written.
        """
        rows: list[tuple[object, ...]] = [("method", "threads", "steps", "lower_bound")]
        if (race := self._state.race) is not None:
            rows += [(lane.method, race.n_threads, lane.n_step, race.bound) for lane in race.lanes]
        export_widget(self.lanes, path, rows)


class RaceLanes(QWidget):
    """Draws the lanes: how far each is, and below it how many of its threads are at work."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self._state = state
        self.setAccessibleName("Lanes of the race")

    def paintEvent(self, _: QPaintEvent | None) -> None:
        race, theme = self._state.race, THEMES[self._state.theme]
        if race is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        high = min(self.height() / len(race.lanes), 44.0)
        for i, lane in enumerate(race.lanes):
            room = QRectF(8, i * high, self.width() - 16, high)
            color = theme.accent if lane.method == "dhs" else OKABE_ITO[i]
            ink = QColor(hex_color(readable(rgb(color), rgb(theme.window))))
            self._draw_lane(painter, race, lane, room, ink)
        painter.end()

    def _draw_lane(
        self, painter: QPainter, race: Race, lane: Lane, room: QRectF, ink: QColor
    ) -> None:
        theme = THEMES[self._state.theme]
        middle = Qt.AlignmentFlag.AlignVCenter
        font = painter.font()
        font.setBold(lane.method == self._state.method)
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        name, left = METHOD_TEXTS[lane.method][0], room
        if narrow := room.width() < NARROW:  # words above the bar
            words = QRectF(room.left(), room.top(), room.width(), room.height() * 0.55)
            thick = min(max(room.height() * 0.2, 4.0), 10.0)
            track = QRectF(room.left(), words.bottom() + 1, room.width(), thick)
            left = count = words
        else:
            thick = min(max(room.height() * 0.34, 6.0), 14.0)
            track = QRectF(
                room.left() + NAME_ROOM, room.center().y() - thick * 0.75,
                max(room.width() - NAME_ROOM - COUNT_ROOM, 40.0), thick,
            )  # fmt: skip
            count = QRectF(track.right() + 10, room.top(), COUNT_ROOM - 10, room.height())
        painter.drawText(left, middle, name)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.grid))
        painter.drawRoundedRect(track, thick / 2, thick / 2)
        run = QRectF(track)
        run.setWidth(max(track.width() * lane.share(race.step), thick))
        painter.setBrush(ink)
        painter.drawRoundedRect(run, thick / 2, thick / 2)
        if not (over := race.step >= lane.n_step):
            painter.setPen(QPen(QColor(theme.text), 2))
            head = QPointF(run.right() - thick / 2, track.center().y())
            painter.drawEllipse(head, thick / 2, thick / 2)
        self._draw_threads(painter, race, lane, track, ink)
        painter.setPen(QColor(theme.muted))
        if over:
            place = race.place(lane)
            painter.setPen(QColor(theme.done if lane.n_step <= race.bound else theme.warning))
            text = f"{place}.  {race.verdict(lane)}"
        else:
            text = f"{number(int(race.step))} / {number(lane.n_step)}"
        side = Qt.AlignmentFlag.AlignRight if narrow else Qt.AlignmentFlag.AlignLeft
        painter.drawText(count, middle | side, text)

    def _draw_threads(
        self, painter: QPainter, race: Race, lane: Lane, track: QRectF, ink: QColor
    ) -> None:
        """A thin line as long as the share of threads that work in this step."""
        busy = lane.busy(race.step)
        if busy:
            y = track.bottom() + 3
            painter.setPen(QPen(ink, 2))
            length = track.width() * busy / race.n_threads
            painter.drawLine(QPointF(track.left(), y), QPointF(track.left() + length, y))


def told(race: Race) -> str:
    """What is to be seen now."""
    if not race.over:
        hurry = " · only serial Hines is left: 8 times as fast" if _alone(race) else ""
        lines = f"thin lines: threads at work of {race.n_threads}"
        return f"step {number(int(race.step))} · {lines}{hurry}"
    best = min(lane.n_step for lane in race.lanes)
    first = " and ".join(METHOD_TEXTS[x.method][0] for x in race.lanes if x.n_step == best)
    serial = max(lane.n_step for lane in race.lanes)
    return (
        f"{first}: {number(best)} steps, {serial / max(best, 1):.1f} times fewer than one thread. "
        f"No schedule of {race.n_threads} threads has fewer than {number(race.bound)}."
    )


def _alone(race: Race) -> bool:
    return all(race.step >= lane.n_step for lane in race.lanes if lane.method != "hines")
