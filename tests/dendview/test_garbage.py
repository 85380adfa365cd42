"""The cycle collector never starts in a thread that Qt's objects do not belong to."""

import gc
import threading

from PyQt6.QtCore import QObject

from dendview.widgets.background import Background
from dendview.widgets.garbage import Collector, hold, release


class Cycle:
    """Notes the thread it ends in."""

    def __init__(self, ended_in):
        self.me, self.ended_in = self, ended_in

    def __del__(self):
        self.ended_in.append(threading.get_ident())


def allocate():
    """Enough new containers to start the collector many times."""
    return len([[i] for i in range(100_000)])


def test_holders_are_counted():
    assert gc.isenabled()
    hold()
    hold()
    release()
    assert not gc.isenabled()
    release()
    assert gc.isenabled()


def test_work_in_the_background_ends_no_cycles_of_others(qtbot):
    ended_in = []
    task = Background()
    with qtbot.waitSignal(task.done, timeout=10_000):
        for _ in range(50):
            Cycle(ended_in)
        task.start(allocate)
    gc.collect()
    assert len(ended_in) == 50
    assert set(ended_in) == {threading.get_ident()}


def test_the_window_collects_in_its_own_thread(qtbot):
    owner = QObject()
    collector = Collector(owner)
    ended_in = []
    Cycle(ended_in)
    keep = [[] for _ in range(2 * gc.get_threshold()[0])]
    assert ended_in == []
    collector.collect()
    assert ended_in == [threading.get_ident()]
    collector.end()
    collector.end()
    assert gc.isenabled()
    assert len(keep) > 0
