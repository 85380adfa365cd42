"""The benchmark of the solve: every variant measured, the paper's ratios beside ours, one core."""

import json
from dataclasses import replace

import numpy as np
import pytest

import engine.experiments.gpu_check
from dendview.cli import gpu_check, main
from engine.backends.cpu import CpuBackend
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.variants import fastest
from engine.backends.gpu.variants.variant import GATHERED
from engine.benchmarks import solve
from engine.benchmarks.solve import Cell, Row, compare, measure, report, variants_for
from engine.errors import BackendError
from engine.experiments.gpu_check import (
    CheckRow,
    check_models,
    check_solves,
    run_whole,
    small_models,
)
from engine.experiments.gpu_check_population import check_populations
from engine.model import build
from tests.engine.backends.gpu.solve_systems import random_tree, spiny_tree, system_on
from tests.engine.shim_device import ShimDevice


def small_device(memory):
    """One whose memory and cache are filled in no time."""
    device = ShimDevice(memory=memory)
    device.properties = replace(device.properties, l2_cache=2**14)
    return device


@pytest.mark.parametrize("spiny", [False, True])
def test_every_variant_is_measured_beside_one_core(spiny):
    tree = spiny_tree(12, 4) if spiny else random_tree(30, 3)
    cell, device = Cell("small", system_on(tree), spiny), small_device(2**23)
    rows = list(measure([cell], (3,), device, rounds=2))
    names = [row.variant for row in rows]
    assert names == ["cpu-serial", "cpu-engine", *(v.name for v in variants_for(cell))]
    assert not any(row.missing for row in rows)
    answer = report(rows, device)
    for entry in answer["rows"]:
        assert entry["ns_per_node"] == pytest.approx(1e6 * entry["ms"] / (3 * len(tree)))
        assert entry["s_per_simulated_s"] == pytest.approx(40 * entry["ms"])
        assert entry["ms"] > 0
        on_device = not entry["variant"].startswith("cpu")
        assert entry["in_cache"] == (on_device and 24 * 3 * len(tree) <= 2**14)
        assert ("times_the_floor" in entry) == on_device
    assert answer["copy_bandwidth_gb_per_s"] > 0
    found = answer["comparison"][0]
    assert found["ours"] in names
    assert found["best_published"] in names
    assert json.loads(json.dumps(answer))["comparison"] == answer["comparison"]


def test_what_does_not_fit_is_a_row_that_says_so():
    cell = Cell("small", system_on(random_tree(30, 3)))
    rows = list(measure([cell], (2_000,), small_device(2**20), rounds=1))
    refused = [row for row in rows if row.missing]
    assert {row.variant for row in refused} == {v.name for v in variants_for(cell)}
    assert all("are free" in row.missing for row in refused)


def test_ratios_stand_beside_the_papers():
    row = Row("ca1", 1499, 3000, "permute1", True, "permute1", 1, 1498, warm=10.0)
    rows = [
        row,
        replace(row, variant="dhs-16", warm=1.0),
        replace(row, variant="contract-64", published=False, warm=0.25),
        replace(row, variant="dhs-16-constant", published=False, warm=0.1),
        replace(row, variant="cpu-serial", published=False, warm=100.0),
    ]
    found = compare(rows)[0]
    assert (found["best_published"], found["ours"]) == ("dhs-16", "contract-64")
    assert found["permute1/dhs-16"] == 10.0
    assert found["dhs-16/contract-64"] == 4.0
    assert found["cpu-serial/dhs-16"] == 100.0
    assert found["paper"]["permute1/dhs-16"] == pytest.approx(5.155 / 0.4376)
    lowest = min(p[0] / p[2] for (_, n), p in solve.PAPER.items() if n == 3000)
    highest = max(p[0] / p[2] for (_, n), p in solve.PAPER.items() if n == 3000)
    assert (round(lowest, 1), round(highest, 1)) == (8.6, 13.1)  # as the paper's figure has it


def test_bench_solve_without_a_device_measures_one_core_and_says_why(capsys, tmp_path, no_device):
    out = tmp_path / "solve.json"
    words = ["bench", "solve", "--only", "spn", "--cells", "1,8", "--quick", "--rounds", "2"]
    assert main([*words, "--json", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert "one core only: there is none" in captured.err
    assert answer["why_no_device"] == "there is none"
    assert answer["device"] is None
    assert [row["variant"] for row in answer["rows"]] == ["cpu-serial", "cpu-engine"] * 2
    assert json.loads(out.read_text())["rows"] == answer["rows"]


def test_bench_solve_with_a_device_prints_ratios(capsys, monkeypatch):
    monkeypatch.setattr("dendview.cli.bench_solve.cupy_device", lambda index: small_device(2**26))
    words = ["--only", "spn", "--cells", "2", "--quick", "--rounds", "1"]
    assert main(["bench", "solve", *words, "--json"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert answer["device"]["name"] == "CPU shim"
    variants = variants_for(Cell("spn", system_on(random_tree(3, 1))))
    assert len(answer["rows"]) == 2 + len(variants)
    last = captured.err.splitlines()[-1]
    assert "permute1/dhs-16" in last
    assert "cpu-serial/dhs-16" in last


def test_the_fastest_variant_is_found_by_measuring():
    systems, device = [system_on(random_tree(30, 3))], small_device(2**23)
    chosen, seconds = fastest(systems, GATHERED[1:4], device, n=2)
    assert chosen in GATHERED[1:4]
    assert seconds > 0
    too_large = replace(GATHERED[1], memory="shared")
    tiny = ShimDevice(shared_memory=1100)
    assert fastest(systems, (too_large, GATHERED[2]), tiny, n=1)[0] == GATHERED[2]
    with pytest.raises(BackendError, match="do not fit"):
        fastest(systems, (too_large,), tiny)
    with pytest.raises(BackendError, match="name at least one"):
        fastest(systems, (), tiny)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cells", "many"), "'many' is no list of numbers of cells; write 250,1500,3000"),
        (("--cells", "0"), "'0' is no list of numbers"),
        (("--only", "dog"), "no cell has 'dog' in its name; there are spn, purkinje"),
        (("--rounds", "0"), "0 rounds cannot be measured"),
        (("--morphology", "sample:dog"), "there is no sample 'dog'"),
    ],
)
def test_wrong_wishes_are_refused_in_one_sentence(capsys, words, message):
    assert main(["bench", "solve", *words]) == 1
    assert message in capsys.readouterr().err


@pytest.fixture
def no_device(monkeypatch):
    def fail(index=0):
        raise BackendError("backend 'gpu' is unavailable: there is none")

    monkeypatch.setattr("dendview.cli.bench_solve.cupy_device", fail)
    monkeypatch.setattr("dendview.cli.gpu_check.cupy_device", fail)


def test_gpu_check_without_a_device_is_one_sentence(capsys, no_device):
    assert main(["gpu-check", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "dendview: backend 'gpu' is unavailable: there is none\n"
    assert captured.out == ""


def test_gpu_check_prints_a_row_for_every_variant(capsys, monkeypatch, tmp_path):
    device = ShimDevice("shuffled")
    few = variants_for(Cell("", system_on(random_tree(3, 1))))[3:7:3]
    monkeypatch.setattr(gpu_check, "cupy_device", lambda index: device)
    monkeypatch.setattr(gpu_check, "check_solves", lambda d: check_solves(d, few, copies=2))
    monkeypatch.setattr(gpu_check, "check_models", lambda d: iter([]))
    monkeypatch.setattr(gpu_check, "check_populations", lambda d: iter([]))
    monkeypatch.setattr(gpu_check, "check_everything", lambda d: iter([]))
    monkeypatch.setattr(gpu_check, "count_devices", lambda: 1)
    out = tmp_path / "check.json"
    assert main(["gpu-check", "--json", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert [row["name"] for row in answer["rows"]] == [v.name for v in few]
    assert all(row["passed"] and row["error"] < 1e-12 for row in answer["rows"])
    assert answer == json.loads(out.read_text())
    assert f"all {len(few)} checks passed" in captured.err
    wrong = CheckRow("solve", "dhs-4", "1 tree", error=0.0, serial_bits=True, same_twice=False)
    monkeypatch.setattr(gpu_check, "check_models", lambda d: iter([wrong]))
    assert main(["gpu-check"]) == 1
    captured = capsys.readouterr()
    assert "checks failed: dhs-4" in captured.err
    assert "DIFFERS AGAIN" in captured.out


def test_a_wrong_or_changing_solution_fails():
    row = CheckRow("solve", "x", "y", error=1e-13, serial_bits=True, same_twice=True)
    assert row.passed
    assert replace(row, serial_bits=None, same_twice=None).passed
    for wrong in (
        {"error": 1e-11},
        {"error": float("inf")},
        {"serial_bits": False},
        {"same_twice": False},
        {"problem": "there is no room"},
    ):
        assert not replace(row, **wrong).passed


def test_models_are_held_against_the_processor(monkeypatch):
    shapes = Shape(16, 16), Shape(16, 8, "contract")
    rows = list(check_models(ShimDevice(), shapes, ("passive",)))
    assert [row.name for row in rows] == ["passive dhs-16", "passive contract-8 of 16"]
    assert [row.serial_bits for row in rows] == [True, None]
    assert all(row.passed and row.n_step == 400 for row in rows)

    class SlightlyWrong(CpuBackend):
        def __init__(self, device, shape):
            super().__init__()

        def start(self, model, threads=None):
            clamp = model.experiment.stimuli[0]
            stronger = replace(clamp, amplitude=clamp.amplitude * (1 + 1e-6))
            return super().start(build(replace(model.experiment, stimuli=(stronger,))), threads)

    monkeypatch.setattr(engine.experiments.gpu_check, "GpuBackend", SlightlyWrong)
    for row in check_models(ShimDevice(), (Shape(1, 1),), ("passive",)):
        assert not row.passed
        assert row.same_twice


@pytest.mark.slow
def test_the_models_have_spikes_events_spines_and_instances_that_differ():
    runs = [(name, m, run_whole(CpuBackend(), m)) for name, m in small_models()]
    assert [name for name, *_ in runs] == [
        "passive",
        "hh",
        "hh",
        "synapses",
        "spines",
        "linear spines",
    ]
    assert [m.n_instance for _, m, _ in runs] == [1, 1, 9, 1, 3, 2]
    assert [len(samples.spikes) > 0 for *_, samples in runs] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    first, other, third = runs[4][2].traces[1]
    assert np.array_equal(first, third)
    assert np.abs(first - other).max() > 0.01


@pytest.mark.gpu
def test_everything_on_the_device_gives_the_processors_numbers():
    from engine.backends.gpu.cupy_device import cupy_device

    try:
        device = cupy_device()
    except BackendError as reason:
        pytest.skip(str(reason))
    failed = [row for row in check_solves(device) if not row.passed]
    failed += [row for row in check_models(device) if not row.passed]
    failed += [row for row in check_populations(device) if not row.passed]
    assert not failed
