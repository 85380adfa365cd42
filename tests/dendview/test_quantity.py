"""Quantities typed in any unit of their kind come out in the canonical one."""

import pytest
from PyQt6.QtCore import Qt

from dendview.widgets.quantity import QuantityBox, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("0.2 nA", "nA", 0.2),
        ("200 pA", "nA", 0.2),
        ("200pA", "nA", 0.2),
        ("0,5", "nA", 0.5),
        ("-3e2 pA", "nA", -0.3),
        ("1 s", "ms", 1000.0),
        ("20 mS/cm2", "S/cm²", 0.02),
        ("1 µF/cm²", "µF/cm²", 1.0),
        ("10 nF/mm^2", "µF/cm²", 1.0),
        ("1.5 ohm m", "Ω·cm", 150.0),
        ("310.15 K", "°C", 37.0),
        ("37 °C", "°C", 37.0),
        ("4", "", 4.0),
    ],
)
def test_a_quantity_is_read_in_any_unit_of_its_kind(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"), [("", "nA"), ("fast", "ms"), ("3 mV", "nA"), ("3 zork", "nA"), ("3 nA", "")]
)
def test_what_is_no_quantity_of_the_kind_is_refused(text, unit):
    with pytest.raises(ValueError):
        parse_quantity(text, unit)


def _type(qtbot, box, text):
    box.selectAll()
    qtbot.keyClicks(box.lineEdit(), text)
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)


def test_the_box_shows_the_canonical_unit(qtbot):
    box = QuantityBox("nA", 0.3, -10, 10, 0.1)
    qtbot.addWidget(box)
    assert box.text() == "0.3 nA"
    with qtbot.waitSignal(box.valueChanged) as signal:
        _type(qtbot, box, "200 pA")
    assert signal.args == [pytest.approx(0.2)]
    assert box.text() == "0.2 nA"


def test_the_box_keeps_to_its_range_and_kind(qtbot):
    box = QuantityBox("nA", 0.3, -10, 10, 0.1)
    qtbot.addWidget(box)
    _type(qtbot, box, "1 uA")  # 1000 nA
    assert box.value() == 10
    _type(qtbot, box, "5 mV")
    assert box.value() == 10
    box.stepBy(-1)
    assert box.text() == "9.9 nA"
