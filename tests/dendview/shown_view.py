"""The 3-D view under test: what is drawn is waited for and measured."""

import numpy as np

from dendview.colors import THEMES, rgb
from engine.experiment import Experiment
from engine.recording import Recording


def settle(qtbot, view):
    """Wait until what was asked for is drawn."""
    drawn = []
    view.canvas.events.draw.connect(lambda _: drawn.append(1), position="last")
    view.canvas.native.update()
    qtbot.waitUntil(lambda: bool(drawn), timeout=10_000)


def ground_mask(pixels, theme="dark"):
    """True where a picture is not the canvas."""
    return np.abs(pixels[..., :3].astype(int) - rgb(THEMES[theme].canvas)).max(axis=2) > 25


def cell_pixels(view):
    """True where the cell is drawn, legend and the rest left out."""
    return view.segment_numbers() >= 0


def recording_of(frames):
    n_frame, n_comp = frames.shape
    return Recording(
        time=np.arange(n_frame, dtype=float),
        values=np.zeros((0, 1, n_frame)),
        labels=(),
        units=(),
        frame_time=np.arange(n_frame, dtype=float),
        frames=frames,
        spikes=np.zeros((0, 2)),
        segment=np.arange(n_comp, dtype=np.int32),
        origin=Experiment("made"),
        complete=True,
    )
