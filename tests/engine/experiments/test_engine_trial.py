"""The test of the engines: what works, what does not, and whether the answers are the same."""

from dataclasses import replace

import numpy as np
import pytest

from engine.backends.cpu import CpuBackend
from engine.errors import BackendError
from engine.experiment import Probe, default_experiment
from engine.experiments import engine_trial
from engine.experiments.engine_trial import try_engines
from engine.model import build
from engine.stimuli import CurrentClamp, Site


@pytest.fixture(scope="module")
def model():
    experiment = default_experiment("sample:toy15")
    clamp = CurrentClamp(Site("soma[0]"), 0.5, 2.0, 1.0)
    return build(replace(experiment, stimuli=(clamp,), probes=(Probe(clamp.site),), duration=4.0))


class Second(CpuBackend):
    """A second engine, which adds something to every voltage it tells."""

    def __init__(self, error: float) -> None:
        self._error = error

    def describe(self) -> str:
        return "GPU: second"

    def start(self, model, threads=None):
        run, error = super().start(model, threads), self._error
        advance = run.advance

        def told(n_step):
            samples = advance(n_step)
            return replace(samples, traces=samples.traces + error)

        run.advance = told
        return run


def with_gpu(monkeypatch, make):
    """``choose_backend("gpu")`` gives what is made here."""
    monkeypatch.setattr(
        engine_trial, "choose_backend", lambda name: CpuBackend() if name == "cpu" else make()
    )


def test_without_a_gpu_every_step_on_the_way_is_told(model, monkeypatch):
    def refuse():
        raise BackendError("backend 'gpu' is unavailable: no CUDA device was found")

    with_gpu(monkeypatch, refuse)
    lines = try_engines(model)
    assert lines[0].startswith(f"✓ CPU: {model.n_comp} compartments, {model.n_step} steps in")
    assert any("river" in line for line in lines)
    assert any("CuPy" in line for line in lines)
    assert lines[-1] == "✗ Backend 'gpu' is unavailable: no CUDA device was found."


def test_equal_answers_are_told_as_such(model, monkeypatch):
    with_gpu(monkeypatch, lambda: Second(0.0))
    lines = try_engines(model)
    assert lines[-2].startswith("✓ GPU: second: the same in")
    assert lines[-1].startswith("✓ Same answers")


@pytest.mark.parametrize("error", [0.01, np.nan])
def test_other_answers_are_told_too(model, monkeypatch, error):
    with_gpu(monkeypatch, lambda: Second(error))
    assert try_engines(model)[-1].startswith("✗ Other answers")


def test_a_device_that_breaks_in_a_new_way_is_told(model, monkeypatch):
    def break_down():
        raise RuntimeError("illegal address")

    with_gpu(monkeypatch, break_down)
    assert try_engines(model)[-1] == "✗ The GPU failed: RuntimeError: illegal address."
