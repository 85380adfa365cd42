"""Recordings that keep less, or keep it elsewhere, hold the same numbers."""

from types import SimpleNamespace

import numpy as np
import pytest

import engine.recording
from engine.errors import UserError
from engine.recording import Chunk, RecordingBuilder

N_TIME, N_COMP = 41, 3


def model() -> SimpleNamespace:
    probe = SimpleNamespace(label="soma[0](0.5) v", unit="mV")
    tree = SimpleNamespace(n_comp=N_COMP, segment=np.arange(N_COMP, dtype=np.int32))
    return SimpleNamespace(
        n_time=N_TIME,
        n_frame=5,
        n_instance=2,
        probes=(probe,),
        tree=tree,
        experiment=None,
        experiments=(),
    )


def chunks(sizes):
    done = 0
    for size in sizes:
        step = np.arange(done, done + size)
        framed = step[step % 10 == 0].astype(float)
        frames = np.repeat(framed[:, None], N_COMP, axis=1).astype(np.float32)
        traces = np.stack([step, -step])[None].astype(float)
        yield Chunk(done, done + size, step.astype(float), traces, framed, frames,
                    np.empty((0, 2)), (done + size) / N_TIME)  # fmt: skip
        done += size


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("every", [1, 3, 4, 100])
def test_every_nth_sample_however_the_run_is_cut(every, on_disk):
    for sizes in ((41,), (1, 2, 17, 5, 16), (40, 1)):
        builder = RecordingBuilder(model(), every, on_disk)
        for chunk in chunks(sizes):
            assert not builder.recording().complete
            builder.append(chunk)
        recording = builder.recording()
        assert recording.complete
        expected = np.arange(0, N_TIME, every)
        np.testing.assert_array_equal(recording.time, expected)
        np.testing.assert_array_equal(recording.values, [[expected, -expected]])
        np.testing.assert_array_equal(recording.frame_time, [0, 10, 20, 30, 40])
        np.testing.assert_array_equal(recording.frames[:, 1], [0, 10, 20, 30, 40])


def test_a_disk_that_is_too_small_is_told_before_the_run(monkeypatch):
    usage = SimpleNamespace(free=100)
    monkeypatch.setattr(engine.recording.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="free some, or record less"):
        RecordingBuilder(model(), on_disk=True)
