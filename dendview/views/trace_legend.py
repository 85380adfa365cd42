"""The line above the traces: what is shown, what lies dimmed behind, everything to click on."""

from html import escape

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QLabel, QWidget

from dendview.colors import THEMES
from dendview.runs import is_stale, shown_run, trace_names
from dendview.state import AppState, Run
from dendview.views.trace_style import trace_color

HOW = {"running": "running", "cancelled": "partial", "failed": "stopped early", "done": ""}


class TraceLegend(QLabel):
    """Names the runs and the traces; probes and runs are links."""

    probe_chosen = pyqtSignal(int)  # index among the traces of the shown run
    run_chosen = pyqtSignal(int)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.setContentsMargins(12, 6, 12, 2)
        self.linkActivated.connect(self._on_link)

    def refresh(self) -> None:
        """Write the legend of the state's runs; nothing happens where it says the same already."""
        text = legend_html(self.state)
        if text != self.text():
            self.setText(text)
            self.setVisible(bool(text))

    def _on_link(self, link: str) -> None:
        kind, _, number = link.partition(":")
        (self.probe_chosen if kind == "probe" else self.run_chosen).emit(int(number))


def legend_html(state: AppState) -> str:
    """The legend as rich text; empty where there is no run."""
    theme = THEMES[state.theme]
    run = shown_run(state)
    parts = []
    if run is not None:
        name = f"Run {run.number}" + (f" · {run.experiment.name}" if run.given else "")
        name = escape(name).replace(" ", "&nbsp;")
        parts.append(f'<b style="color:{theme.text}">{name}</b>{_about(state, run)}')
        for i, called in enumerate(trace_names(run.recording)):
            color = trace_color(i, state.theme)
            mark = "━" if i < 8 else "╍" if i < 16 else "┅"
            name = escape(called).replace(" ", "&nbsp;")
            parts.append(
                f'<a href="probe:{i}" style="color:{theme.text};text-decoration:none">'
                f'<span style="color:{color}"><b>{mark}</b></span>&nbsp;{name}</a>'
            )
    others = [other for other in state.runs if other.number != state.shown_run]
    for other in reversed(others[-6:]):
        parts.append(
            f'<a href="run:{other.number}" style="color:{theme.muted};text-decoration:none">'
            f"Run&nbsp;{other.number}</a>{_about(state, other)}"
        )
    if len(others) > 6:
        parts.append(f'<span style="color:{theme.muted}">and {len(others) - 6} earlier</span>')
    return " &nbsp;&nbsp; ".join(parts)


def _about(state: AppState, run: Run) -> str:
    """Spikes, and what is not as it should be, in the theme's colors."""
    theme = THEMES[state.theme]
    n = len(run.recording.spikes)
    count = f"{n}&nbsp;spike" if n == 1 else f"{n}&nbsp;spikes"
    text = f'<span style="color:{theme.muted}">&nbsp;·&nbsp;{count}</span>'
    if how := HOW[run.state]:
        color = theme.error if run.state == "failed" else theme.muted
        text += f'<span style="color:{color}">&nbsp;·&nbsp;{how.replace(" ", "&nbsp;")}</span>'
    if is_stale(run, state.experiment):
        text += f'<span style="color:{theme.warning}">&nbsp;·&nbsp;stale</span>'
    return text
