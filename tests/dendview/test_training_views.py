"""Views of a training's results: what they draw, what a click or a key asks for, what they save."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt

from dendview.training import TrainingChoice, dataset
from dendview.training_finding import find
from dendview.training_findings import wanted
from dendview.views.training_answers import TrainingAnswers
from dendview.views.training_hidden import TrainingHidden, with_neuron
from dendview.views.training_robustness import (
    SHORT,
    SIGNS,
    SYMBOLS,
    TrainingRobustness,
    point_text,
)
from dendview.views.training_sample import percent
from dendview.views.training_voltage import TrainingVoltage
from dendview.views.training_weights import TrainingWeights
from engine.errors import UserError
from engine.experiments.robustness.study import SUBJECTS, Curve, Point, Result, Study

from .made_training import N_HIDDEN, cell_of, state_with

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def state():
    return state_with()


def show(qtbot, view, size=(470, 380)):
    view.resize(*size)
    qtbot.addWidget(view)
    with qtbot.waitExposed(view):
        view.show()
    qtbot.wait(40)
    return view


class TestAnswers:
    def test_a_square_asks_for_its_samples_and_a_second_click_lets_go(self, qtbot, state):
        view = show(qtbot, TrainingAnswers(state))
        asked = []
        view.cell_clicked.connect(lambda *place: asked.append(place))
        found = state.training_findings
        at = view.grid._box(found, 3, 7).center().toPoint()
        qtbot.mouseClick(view.grid, Qt.MouseButton.LeftButton, pos=at)
        state.training_choice = TrainingChoice(label=3, answer=7)
        qtbot.mouseClick(view.grid, Qt.MouseButton.LeftButton, pos=at)
        name = QPoint(20, at.y())
        qtbot.mouseClick(view.grid, Qt.MouseButton.LeftButton, pos=name)
        assert asked == [(3, 7), (None, None), (3, None)]

    def test_arrows_move_over_the_squares(self, qtbot, state):
        view = show(qtbot, TrainingAnswers(state))
        asked = []
        view.cell_clicked.connect(lambda *place: asked.append(place))
        state.training_choice = TrainingChoice(label=3, answer=9)
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Backspace):
            qtbot.keyClick(view.grid, key)
        assert asked == [(3, 0), (4, 9), (None, None)]

    def test_the_samples_stand_beside_the_matrix(self, qtbot, state):
        view = show(qtbot, TrainingAnswers(state))
        gallery = state.training_findings.gallery
        assert view.list.count() == len(gallery.sample)
        assert view.list.currentRow() == 0  # the image that is shown
        first = view.list.item(0).text()
        label = dataset("digits").test_labels[gallery.sample[0]]
        assert first.startswith(f"{label} → {gallery.said[0]}\n")
        asked = []
        view.sample_clicked.connect(asked.append)
        view.list.setFocus()
        qtbot.keyClick(view.list, Qt.Key.Key_Right)
        assert asked == [int(gallery.sample[1])]

    def test_what_is_told_of_squares_rows_and_columns(self, qtbot, state):
        grid = TrainingAnswers(state).grid
        table = state.training_findings.wanted.shown.test.confusion
        assert f"{table[2, 2]} samples" in grid.tip((2, 2))
        assert f"of {table[2].sum()} right" in grid.tip((2, None))
        assert f"of {table[:, 2].sum()}" in grid.tip((None, 2))

    def test_of_the_untrained_network_no_answers_are_drawn(self, qtbot):
        view = show(qtbot, TrainingAnswers(state_with(TrainingChoice(epoch=0))))
        assert "not tested" in view.title.text()
        assert view.list.count() == 0


class TestHidden:
    def test_a_click_chooses_a_neuron_and_ctrl_adds_one(self, qtbot, state):
        view = show(qtbot, TrainingHidden(state))
        asked = []
        view.neurons_chosen.connect(asked.append)
        box = view.maps.map_box("after")
        at = QPointF(box.center().x(), box.top() + 4.5 / N_HIDDEN * box.height()).toPoint()
        qtbot.mouseClick(view.maps, Qt.MouseButton.LeftButton, pos=at)
        more = Qt.KeyboardModifier.ControlModifier
        qtbot.mouseClick(view.maps, Qt.MouseButton.LeftButton, more, at)
        qtbot.keyClick(view.maps, Qt.Key.Key_Down)
        assert asked == [(4,), (0, 4), (1,)]

    def test_the_most_active_come_first(self, qtbot, state):
        view = show(qtbot, TrainingHidden(state))
        view.sort.click()
        order = view.maps.order(state.training_findings)
        mean = state.training_findings.after.hidden.mean(axis=1)
        assert (np.diff(mean[order]) <= 0).all()
        spot = view.maps.spot_at(view.maps.map_box("before").topLeft() + QPointF(2, 2))
        assert spot.neuron == order[0]
        assert "untrained" in view.maps.tip(spot)

    def test_image_and_mean_are_asked_for(self, qtbot, state):
        view = show(qtbot, TrainingHidden(state))
        with qtbot.waitSignal(view.sample_clicked) as chosen:
            view.sample.box.setValue(5)
        assert chosen.args == [5]
        with qtbot.waitSignal(view.mean_chosen) as chosen:
            view.sample.kind.setFocus()
            qtbot.keyClick(view.sample.kind, Qt.Key.Key_Down)
        assert chosen.args == [True]

    @pytest.mark.parametrize(
        ("before", "neuron", "more", "after"),
        [
            ((1, 2), 3, False, (3,)),
            ((1, 2), 2, True, (1,)),
            ((2,), 2, True, (2,)),
            ((0, 1, 2, 3, 4, 5), 6, True, (1, 2, 3, 4, 5, 6)),
        ],
    )
    def test_neurons_chosen_together(self, before, neuron, more, after):
        assert with_neuron(before, neuron, more) == after


class TestVoltage:
    def test_plots_stand_side_by_side_in_a_low_panel(self, qtbot, state):
        view = show(qtbot, TrainingVoltage(state), (620, 230))
        assert view.spikes.mapTo(view, QPoint()).x() < view.hidden.mapTo(view, QPoint()).x()
        view.resize(460, 460)
        qtbot.wait(60)
        assert view.spikes.mapTo(view, QPoint()).y() < view.hidden.mapTo(view, QPoint()).y()

    def test_what_lies_under_the_pointer(self, qtbot, state):
        view = show(qtbot, TrainingVoltage(state))
        found = state.training_findings
        pixel = int(found.spike_pixel[0])
        said = view.tip(found, view.spikes, 20.0, pixel)
        assert f"row {pixel // 8}, column {pixel % 8}" in said
        assert f"{(found.spike_pixel == pixel).sum()} spikes" in said
        end = found.after.hidden[0, -1]
        assert f"{end:.3g} mV".replace("-", "−") in view.tip(found, view.hidden, 50.0, 0.0)
        assert view.tip(found, view.output, 50.0, 0.0).count("mV") == 3

    def test_an_answer_that_is_wrong_is_named(self, qtbot, state):
        view = show(qtbot, TrainingVoltage(state), (900, 300))
        found = state.training_findings
        assert found.answers.answer[1] != found.label
        title = view._titles[view.output].toolTip()
        assert f"label {found.label}, answer {found.answers.answer[1]}" in title


class TestWeights:
    def test_the_switch_colors_the_cell(self, qtbot, state):
        view = show(qtbot, TrainingWeights(state))
        with qtbot.waitSignal(view.on_cell_chosen) as chosen:
            view.on_cell.click()
        assert chosen.args == [True]
        with qtbot.waitSignal(view.neurons_chosen) as chosen:
            view.neuron.setValue(3)
        assert chosen.args == [(3,)]
        assert not view.open.isVisible()

    def test_another_cell_is_told_and_the_right_one_offered(self, qtbot, state):
        state.cell = cell_of("sample:mitral")
        view = show(qtbot, TrainingWeights(state))
        assert not view.on_cell.isEnabled()
        with qtbot.waitSignal(view.cell_wanted):
            qtbot.mouseClick(view.open, Qt.MouseButton.LeftButton)

    def test_counts_can_be_linear_however_many_there_are(self, qtbot, state):
        found = state.training_findings
        many = replace(found.hidden_counts, counts=found.hidden_counts.counts * 1000)
        state.training_findings = replace(found, hidden_counts=many)
        view = show(qtbot, TrainingWeights(state))
        top = view.hidden.getViewBox().viewRange()[1][1]
        assert top == pytest.approx(1.06 * np.log10(many.counts.max()))
        view.logarithmic.click()
        qtbot.wait(40)
        top = view.hidden.getViewBox().viewRange()[1][1]
        assert top == pytest.approx(1.06 * many.counts.max())


def result(**fields) -> Result:
    def curve(subject, disturbance, *right):
        points = [Point(0.1 * k, 0.1 * k, r, 200, (r - 2,)) for k, r in enumerate(right)]
        return Curve(subject, disturbance, tuple(points))

    curves = (
        curve("hpc_net", "attack", 190, 150), curve("ann", "attack", 192, 90),
        curve("encoded_ann", "attack", 191, 148), curve("hpc_net", "noise", 190, 188),
    )  # fmt: skip
    return Result(Study((0.1,)), "digits", 200, 360, (64, 6, 10), 0.02, "key", curves, **fields)


class TestRobustness:
    def test_every_network_has_a_mark_and_a_name_of_its_own(self):
        assert set(SUBJECTS) <= set(SYMBOLS) & set(SIGNS) & set(SHORT)
        assert len({SYMBOLS[s] for s in SUBJECTS}) == len({SHORT[s] for s in SUBJECTS})
        assert len({SYMBOLS[s] for s in SUBJECTS}) == len(SUBJECTS)

    def test_without_a_result_it_says_what_can_be_done(self, qtbot, state):
        state.robustness_missing = "The surrogate needs torch."
        view = show(qtbot, TrainingRobustness(state))
        assert "needs torch" in view.text.text()
        assert not view.run.isEnabled()
        state.robustness_missing = ""
        qtbot.wait(30)
        with qtbot.waitSignal(view.run_clicked) as chosen:
            qtbot.mouseClick(view.run, Qt.MouseButton.LeftButton)
        assert chosen.args == [1000]

    def test_curves_of_the_chosen_disturbance_are_drawn(self, qtbot, state):
        state.robustness = result()
        view = show(qtbot, TrainingRobustness(state))
        assert {curve.subject for curve, _ in view._at} == {"hpc_net", "ann", "encoded_ann"}
        assert "200 of 360 test images, not finished" in view.title.text()
        assert "95.0" in view.text.text()
        view.disturbance.setCurrentIndex(1)
        qtbot.wait(40)
        assert {curve.subject for curve, _ in view._at} == {"hpc_net"}
        curve, point = view._at[1]
        box = view.plot.getPlotItem().getViewBox()
        at = box.mapViewToScene(QPointF(point.epsilon, 100 * point.accuracy.value))
        assert view.near(at + QPointF(3, 3)) == (curve, point)
        assert view.near(at - QPointF(40, 0)) is None
        said = point_text(curve, point)
        assert "188 of 200 right: 94.0 %" in said
        assert "2 trainings: 93.0 to 94.0 %" in said

    @pytest.mark.parametrize("ending", ["svg", "png", "csv", "json"])
    def test_it_is_saved(self, qtbot, state, tmp_path, ending):
        state.robustness = result(complete=True)
        path = tmp_path / f"robust.{ending}"
        TrainingRobustness(state).export(path)
        assert path.stat().st_size > 300

    def test_the_title_says_where_the_curves_are_not_of_the_shown_epoch(self, qtbot, state):
        state.robustness = result(complete=True, epoch=2)
        view = show(qtbot, TrainingRobustness(state))
        whole = "digits, 64–6–10, epoch 2: 200 of 360 test images"
        assert view.title.text() == whole
        state.training_choice = TrainingChoice(epoch=1)
        qtbot.wait(40)
        assert view.title.text() == f"{whole}; not of epoch 1, which is shown"
        state.training_choice = TrainingChoice(epoch=2)
        qtbot.wait(40)
        assert view.title.text() == whole
        state.robustness = result(complete=True)
        qtbot.wait(40)
        assert "epoch not recorded" in view.title.text()

    def test_what_was_opened_is_not_taken_for_the_shown_training(self, qtbot, state):
        state.robustness = result(complete=True, epoch=1)
        state.robustness_from = "/far/away/other.json"
        view = show(qtbot, TrainingRobustness(state))
        assert view.title.text().endswith("test images; opened from other.json")

    def test_images_only_one_network_has_right_are_told_at_the_point(self):
        point = Point(0.2, 0.2, 1159, 2000, discordant=(56, 15))
        said = point_text(Curve("moved", "attack", (point,)), point)
        assert "dendrites alone: 56; with synapses at the somata alone: 15 (McNemar's p 1" in said

    def test_nothing_is_not_saved(self, qtbot, state, tmp_path):
        with pytest.raises(UserError, match="no robustness study is shown"):
            TrainingRobustness(state).export(tmp_path / "a.svg")


@pytest.mark.parametrize(
    "make", [TrainingAnswers, TrainingHidden, TrainingVoltage, TrainingWeights]
)
def test_results_are_saved_as_drawings(qtbot, state, tmp_path, make):
    view = make(state)
    view.export(tmp_path / "a.svg")
    texts = [e.text for e in ET.parse(tmp_path / "a.svg").iter(f"{SVG}text")]
    assert len(texts) > 8
    view.export(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    state.training_findings = None
    with pytest.raises(UserError, match="train"):
        view.export(tmp_path / "b.svg")
    assert not (tmp_path / "b.svg").exists()


def test_the_listed_samples_are_saved_with_labels_and_answers(qtbot, state, tmp_path):
    view = TrainingAnswers(state)
    view.samples.export(tmp_path / "a.svg")
    tree = ET.parse(tmp_path / "a.svg")
    n = min(64, state.training_findings.gallery.n_all)
    assert len(list(tree.iter(f"{SVG}image"))) == n
    assert sum("→" in e.text for e in tree.iter(f"{SVG}text")) == n


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_views_follow_theme_and_choice(qtbot, state, theme):
    """Everything is drawn again without a complaint, with and without results."""
    kinds = TrainingAnswers, TrainingHidden, TrainingVoltage, TrainingWeights
    views = [show(qtbot, make(state)) for make in kinds]
    state.theme = theme
    state.training_choice = TrainingChoice(label=1, neurons=(0, 5))
    state.training_findings = find(wanted(state))
    qtbot.wait(60)
    before = [view.grab().toImage() for view in views]
    state.training_findings = None
    qtbot.wait(60)
    for view, image in zip(views, before, strict=True):
        assert view.grab().toImage() != image


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.9999, "≈100 %"), (0.997, "99.7 %"), (0.5, "50 %")]
)
def test_shares_keep_the_digits_that_matter(share, text):
    assert percent(share) == text
