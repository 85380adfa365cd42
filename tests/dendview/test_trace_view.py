"""Traces on the screen: what is drawn, what a click means, how long it takes."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QImage, QPainter, QWheelEvent
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QApplication

from dendview.state import AppState
from dendview.views.plots_area import LEAST_HEIGHT
from dendview.views.stimulus_bar import course, drag_step
from dendview.views.trace_legend import legend_html
from dendview.views.trace_style import axis_label, trace_color
from dendview.views.trace_view import TraceView
from engine.errors import UserError
from engine.experiment import Probe
from engine.stimuli import RampClamp, SineClamp, Site
from tests.dendview.made_runs import busy_experiment, busy_state, made_run


@pytest.fixture
def shown(qtbot):
    """Make a view of a state and wait for it."""

    def show(state: AppState, width: int = 900, height: int = 400) -> TraceView:
        view = TraceView(state)
        qtbot.addWidget(view)
        view.resize(width, height)
        with qtbot.waitExposed(view):
            view.show()
        qtbot.wait(20)
        return view

    return show


def click(qtbot, view: TraceView, unit: str, time: float, value: float) -> None:
    """A real mouse click at a place of a plot."""
    box = view._plots[unit].getViewBox()
    scene = box.mapViewToScene(QPointF(time, value))
    point = view._graphics.mapFromScene(scene)
    qtbot.mouseClick(view._graphics.viewport(), Qt.MouseButton.LeftButton, pos=point)
    qtbot.wait(10)


def pixels(image: QImage, color: str, tolerance: int = 40) -> int:
    """How many pixels of an image are near a color."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    data = np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)[:, :, 2::-1]
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(data.astype(int) - wanted).max(axis=2) < tolerance).sum())


def test_nothing_yet_says_what_to_do(shown):
    view = shown(AppState())
    assert view._stack.currentWidget().text().startswith("Right-click the cell")


def test_every_trace_of_the_shown_run_is_drawn_in_its_color(shown):
    view = shown(busy_state())
    image = view.grab().toImage()
    for i in range(3):
        assert pixels(image, trace_color(i, "dark")) > 100
    assert (4, 2) in view._curves
    assert (3, 0) in view._curves
    assert view._curves[4, 0].zValue() > view._curves[3, 0].zValue()


def test_hidden_views_do_not_draw(qtbot):
    state = busy_state()
    view = TraceView(state)
    qtbot.addWidget(view)
    state.runs = state.runs[:1]
    qtbot.wait(20)
    assert not view._curves


def test_a_view_shown_again_is_up_to_date(shown, qtbot):
    state = busy_state()
    view = shown(state)
    view.hide()
    state.time = 33.0
    with qtbot.waitExposed(view):
        view.show()
    assert view._cursors[0].value() == 33.0


def test_a_click_sets_the_time_and_on_a_trace_names_its_probe(shown, qtbot):
    state = busy_state()
    view = shown(state)
    with qtbot.waitSignal(view.time_clicked) as got:
        click(qtbot, view, "mV", 200.0, 20.0)
    assert got.args[0] == pytest.approx(200.0, abs=0.5)
    with qtbot.waitSignals([view.probe_clicked, view.site_clicked, view.time_clicked]) as all_of:
        click(qtbot, view, "mV", 140.0, float(state.runs[1].recording.values[1, 0, 140 * 40]))
    arguments = {s.signal_name: s.args[0] for s in all_of.all_signals_and_args}
    assert arguments["probe_clicked(int)"] == 1
    assert arguments["site_clicked(PyQt_PyObject)"] == Site("apic[1]")


def test_a_trace_of_an_older_experiment_names_the_place_only(shown, qtbot):
    state = busy_state()
    view = shown(state)
    state.experiment = replace(state.experiment, probes=(state.experiment.probes[2],))
    probes, sites = [], []
    view.probe_clicked.connect(probes.append)
    view.site_clicked.connect(sites.append)
    view._legend.linkActivated.emit("probe:0")
    view._legend.linkActivated.emit("probe:2")
    assert sites == [Site("soma[0]"), Site("axon[0]", 0.9)]
    assert probes == [0]


def test_the_trace_of_the_selected_place_is_thicker(shown, qtbot):
    state = busy_state()
    view = shown(state)
    state.selection = state.cell.segment(Site("apic[1]"))
    qtbot.wait(20)
    assert [view._curves[4, i].opts["pen"].width() for i in range(3)] == [1, 2, 1]
    state.selection = None
    qtbot.wait(20)
    assert view._curves[4, 1].opts["pen"].width() == 1


def test_the_legend_tells_spikes_stale_and_earlier_runs(shown, qtbot):
    state = busy_state()
    html = legend_html(state).replace("&nbsp;", " ")
    assert "Run 4</b><" in html
    assert "· 10 spikes" in html
    assert "soma[0](0.5)" in html
    before, after = html.split("Run 3")
    assert "stale" not in before
    assert "stale" in after
    view = shown(state)
    with qtbot.waitSignal(view.run_clicked) as got:
        view._legend.linkActivated.emit("run:3")
    assert got.args == [3]


def test_a_growing_run_keeps_its_ranges(shown, qtbot):
    state = busy_state()
    state.runs, state.shown_run = (made_run(1, busy_experiment(), until=20.0),), 1
    view = shown(state)
    seen = set()
    for until in (40.0, 80.0, 120.0, 200.0):
        state.runs = (made_run(1, busy_experiment(), until=until),)
        state.time = until
        qtbot.wait(20)
        box = view._plots["mV"].getViewBox()
        seen.add((tuple(box.viewRange()[0]), tuple(box.viewRange()[1])))
        assert view._curves[1, 0].getData()[0][-1] == pytest.approx(until)
        assert view._cursors[0].value() == until
    assert seen == {((0.0, 250.0), (-90.0, 50.0))}
    state.runs = (made_run(1, busy_experiment()),)
    qtbot.wait(20)
    low, high = view._plots["mV"].getViewBox().viewRange()[1]
    data = state.runs[0].recording.values
    assert data.min() - 15 < low < data.min()
    assert data.max() < high < data.max() + 15


def test_zoom_shows_every_sample_and_double_click_shows_all(shown, qtbot):
    view = shown(busy_state())
    view._plots["mV"].setXRange(100.0, 110.0, padding=0)
    qtbot.wait(30)
    x, _ = view._curves[4, 0].getData()
    assert np.diff(x).max() == pytest.approx(0.025)
    port, left, pos = view._graphics.viewport(), Qt.MouseButton.LeftButton, QPoint(400, 100)
    qtbot.mouseClick(port, left, pos=pos)
    qtbot.mouseDClick(port, left, pos=pos)
    qtbot.mouseRelease(port, left, pos=pos)
    qtbot.wait(30)
    assert view._plots["mV"].getViewBox().viewRange()[0] == [0.0, 250.0]


def test_other_units_get_plots_of_their_own(shown):
    probes = tuple(Probe(Site("soma[0]"), v) for v in ("v", "m_hh", "h_hh"))
    state = busy_state()
    state.experiment = busy_experiment(probes=probes)
    state.runs, state.shown_run = (made_run(5, state.experiment),), 5
    view = shown(state)
    assert list(view._plots) == ["mV", "1", "stimulus"]
    assert view._plots["mV"].getAxis("left").labelText == "voltage (mV)"
    assert view._time_axis.axis.labelText == "time (ms)"
    assert view._curves[5, 1].getViewBox() is view._plots["1"].getViewBox()


def test_many_kinds_of_traces_name_their_units_alone():
    assert axis_label("mA/cm2") == "current density (mA/cm²)"
    assert [axis_label(u, brief=True) for u in ("mV", "mA/cm2", "uS")] == ["mV", "mA/cm²", "µS"]


def test_the_edge_of_a_pulse_can_be_dragged(shown, qtbot):
    state = busy_state()
    view = shown(state)
    region = view._stimulus._items[1]
    with qtbot.waitSignal(view.experiment_edited) as got:
        region.lines[1].setPos(150.3)
        region.lineMoveFinished()
    (clamp,) = got.args[0].stimuli
    assert (clamp.delay, clamp.duration) == (60.0, 90.0)
    assert state.experiment.stimuli[0].duration == 120.0  # the view changed nothing itself
    qtbot.wait(20)
    assert view._stimulus._items[1].getRegion() == (60.0, 180.0)  # nobody took the edit
    assert drag_step(300.0) == 1.0
    assert drag_step(5.0) == 0.1


def test_a_mouse_drag_moves_the_edge(shown, qtbot):
    view = shown(busy_state())
    box = view._plots["stimulus"].getViewBox()

    def at(time: float) -> QPoint:
        return view._graphics.mapFromScene(box.mapViewToScene(QPointF(time, 0.15)))

    port = view._graphics.viewport()
    with qtbot.waitSignal(view.experiment_edited) as got:
        qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=at(60.0))
        for time in (56.0, 50.0, 44.0, 40.0):
            qtbot.mouseMove(port, at(time))
            qtbot.wait(15)
        qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at(40.0))
    (clamp,) = got.args[0].stimuli
    assert clamp.delay == pytest.approx(40.0, abs=1.5)
    assert clamp.delay + clamp.duration == pytest.approx(180.0)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_export(shown, tmp_path, ending):
    view = shown(busy_state())
    path = tmp_path / f"traces.{ending}"
    view.export(path)
    if ending == "png":
        image = QImage(str(path))
        assert (image.width(), image.height()) == (1800, 800)
    else:
        image = QImage(900, 400, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        QSvgRenderer(str(path)).render(painter)
        painter.end()
    for i in range(3):
        assert pixels(image, trace_color(i, "dark")) > 100
    with pytest.raises(UserError, match="cannot be written"):
        view.export(tmp_path / "no folder" / f"traces.{ending}")


def test_export_as_a_table(shown, tmp_path):
    state = busy_state()
    shown(state).export(tmp_path / "traces.csv")
    lines = (tmp_path / "traces.csv").read_text().splitlines()
    assert lines[0] == "time (ms),soma[0](0.5) v (mV),apic[1](0.5) v (mV),axon[0](0.9) v (mV)"
    table = np.loadtxt(lines[1:], delimiter=",")
    np.testing.assert_array_equal(table[:, 0], state.runs[1].recording.time)
    np.testing.assert_array_equal(table[:, 1:].T, state.runs[1].recording.values[:, 0])


def test_long_traces_are_thinned_to_the_pixels_there_are(shown):
    """Twenty traces of forty thousand points while they grow: a few points a pixel are drawn."""
    probes = tuple(Probe(Site("apic[1]", (i + 0.5) / 20)) for i in range(20))
    experiment = busy_experiment(probes=probes, duration=1000.0)
    state = busy_state()
    state.experiment, state.runs, state.shown_run = experiment, (), 6
    view = shown(state, 1280, 420)
    growing = [made_run(6, experiment, until=until) for until in (999.0, 999.3, 999.6, 999.9)]
    for run in growing:
        state.runs = (run,)
        view._draw()
        recording = run.recording
        assert len(recording.time) > 39_900
        for i in range(20):
            x, y = view._curves[6, i].getData()
            assert len(x) < 4 * view.width()
            assert x[-1] == pytest.approx(recording.time[-1], abs=2.0)
            assert y.max() == recording.values[i, 0].max()  # no spike is lost


def test_colors_stand_out_from_both_canvases():
    from dendview.colors import THEMES, contrast, rgb

    for theme in ("dark", "light"):
        colors = {trace_color(i, theme) for i in range(8)}
        assert len(colors) == 8
        for color in colors:
            assert contrast(rgb(color), rgb(THEMES[theme].canvas)) >= 2.15


def test_places_are_short_where_people_read_them_and_whole_in_files(shown, tmp_path):
    state = busy_state()
    state.experiment = busy_experiment(probes=(Probe(Site("apic[1]", 13 / 14)),))
    state.runs, state.shown_run = (made_run(7, state.experiment),), 7
    view = shown(state)
    assert "apic[1](0.929)" in view._legend.text()
    view.export(tmp_path / "traces.csv")
    assert "apic[1](0.928571) v (mV)" in (tmp_path / "traces.csv").read_text()


UNITS = ("mV", "1", "mA/cm2", "mM", "uS", "nA")


def many_units():
    """A run whose probes have six units."""
    state = busy_state(probes=tuple(Probe(Site("soma[0]"), f"x{i}") for i in range(len(UNITS))))
    run = state.runs[-1]
    state.runs = (replace(run, recording=replace(run.recording, units=UNITS)),)
    return state


def test_many_units_are_scrolled_to_and_exported_whole(shown, qtbot, tmp_path):
    view = shown(many_units(), 900, 260)
    area = view._plots_area
    heights = [view._plots[unit].getViewBox().height() for unit in UNITS]
    assert min(heights) > 0.6 * LEAST_HEIGHT
    assert area.hidden_height > 100
    at = QPointF(20, 60)
    viewport = view._graphics.viewport()
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    down = QWheelEvent(
        at, viewport.mapToGlobal(at), QPoint(), QPoint(0, -120), *none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, down)
    assert area.verticalScrollBar().value() == 60
    hidden = area.hidden_height
    view.export(tmp_path / "all.png", scale=1.0)
    assert QImage(str(tmp_path / "all.png")).height() == 260 + hidden
    assert view.height() == 260


def test_the_time_axis_stays_in_sight_below_the_plots(shown, qtbot):
    view = shown(many_units(), 900, 260)
    area, axis = view._plots_area, view._time_axis
    bar = area.verticalScrollBar()
    for place in (0, bar.maximum()):
        bar.setValue(place)
        assert axis.geometry().bottom() == view.height() - 1
        assert axis.geometry().top() > area.geometry().bottom()
    first = view._plots["mV"].getViewBox()

    def ends():
        line = axis.axis  # its labels may reach further
        drawn, box = line.mapRectToScene(line.rect()), first.sceneBoundingRect()
        return drawn.left() - box.left(), drawn.right() - box.right()

    assert np.abs(ends()).max() < 1.5  # the scroll bar beside the plots changes nothing
    first.setXRange(10.0, 20.0, padding=0)
    assert axis.axis.range == pytest.approx([10.0, 20.0])
    view.state.theme = "light"  # makes new plots
    qtbot.waitUntil(lambda: view._plots["mV"].getViewBox() is not first)
    first = view._plots["mV"].getViewBox()
    first.setXRange(5.0, 6.0, padding=0)
    assert axis.axis.range == pytest.approx([5.0, 6.0])
    qtbot.waitUntil(lambda: np.abs(ends()).max() < 1.5)


def test_few_units_need_no_scrolling(shown):
    assert shown(busy_state())._plots_area.hidden_height == 0


def test_played_currents_are_drawn_and_dragged(shown, qtbot):
    site = Site("soma[0]")
    ramp, sine = RampClamp(site, 50.0, 100.0, 0.0, 0.4), SineClamp(site, 20.0, 400.0, 0.1, 20.0)
    state = busy_state(stimuli=(busy_experiment().stimuli[0],), waveforms=(ramp, sine))
    time, current = course(ramp, state.experiment)
    assert current.max() == pytest.approx(0.4, abs=1e-3)
    assert (time[0], time[-1]) == (0.0, state.experiment.duration)
    assert current[time < 50].max() == 0.0
    assert course(sine, state.experiment)[0].max() == state.experiment.duration
    view = shown(state)
    edited = []
    view.experiment_edited.connect(edited.append)
    regions = [item for item in view._stimulus._items if hasattr(item, "setRegion")]
    assert len(regions) == 3
    regions[1].setRegion((60.2, 170.0))
    regions[1].sigRegionChangeFinished.emit(regions[1])
    assert edited[-1].waveforms[0] == replace(ramp, delay=60.0, duration=110.0)
    assert edited[-1].waveforms[1] == sine
