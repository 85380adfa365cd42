"""The generated step loop: what it depends on, and that its machine code is found again."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from engine.backends.arguments import loop_arguments
from engine.backends.cpu import CpuRun
from engine.backends.source import emit
from engine.backends.structure import Structure
from engine.experiment import Experiment, Insertion, Probe
from engine.mechanisms import library
from engine.model import build
from engine.stimuli import CurrentClamp, Site
from tests.engine.cells_on_disk import BALL_AND_STICK, FORKED, write

HH, PAS = library()["hh"], library()["pas"]
RUN = """
import sys
from engine.backends.cpu import CpuRun
from engine.experiment import Experiment
from engine.model import build
run = CpuRun(build(Experiment(sys.argv[1], duration=1.0)))
run.initialize()
run.advance(3)
hits = [sum(f.stats.cache_hits.values()) for f in (run._code.advance,)]
misses = [sum(f.stats.cache_misses.values()) for f in (run._code.advance,)]
print(hits, misses)
"""


def test_a_later_process_finds_the_compiled_loop(tmp_path):
    cell = write(tmp_path, BALL_AND_STICK)
    own = {"DENDVIEW_CACHE": str(tmp_path / "a"), "NUMBA_CACHE_DIR": str(tmp_path / "b")}
    said = [
        subprocess.run(
            [sys.executable, "-c", RUN, str(cell)],
            env=os.environ | own,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["[0] [1]", "[1] [0]"]


def test_models_that_differ_in_numbers_alone_share_a_loop(tmp_path):
    given = Experiment(str(write(tmp_path, BALL_AND_STICK)), insertions=(Insertion("hh"),))
    soma = Site("soma[0]")
    other = Experiment(
        str(write(tmp_path, FORKED, "other.swc")),
        insertions=(Insertion("hh", "soma", (("gl", 1e-4),)), Insertion("pas", "dendrite")),
        stimuli=(CurrentClamp(soma),),
        probes=(Probe(soma), Probe(soma, "m_hh")),
        dt=0.05,
        celsius=20.0,
        nodes="neuron",
    )
    assert CpuRun(build(given)).structure == CpuRun(build(other)).structure
    passive = CpuRun(build(replace(given, insertions=(Insertion("pas"),)))).structure
    assert passive == Structure((), rows=False)
    assert passive.constant


@pytest.mark.parametrize(
    "structure",
    [
        Structure((), rows=False),
        Structure((), rows=True),
        Structure((HH,), rows=False),
        Structure((HH, PAS), rows=True),
    ],
    ids=lambda s: s.name,
)
def test_the_text_depends_on_the_structure_alone_and_names_are_used_once(structure):
    text = emit(structure)
    assert text == emit(structure)
    compile(text, structure.name, "exec")
    names = loop_arguments(structure)
    assert len(set(names)) == len(names)


def test_other_structures_have_other_texts():
    texts = {emit(Structure(m, r)) for m in ((), (HH,), (PAS,), (HH, PAS)) for r in (False, True)}
    assert len(texts) == 8


def test_ion_currents_are_summed_up_only_where_they_are_asked_for(tmp_path):
    given = Experiment(
        str(write(tmp_path, BALL_AND_STICK)),
        insertions=(Insertion("hh"),),
        stimuli=(CurrentClamp(Site("soma[0]"), 1.0, 5.0, 0.5),),
        probes=(Probe(Site("soma[0]")),),
        duration=5.0,
    )
    asked = replace(given, probes=(*given.probes, Probe(Site("soma[0]"), "ina")))
    without, with_ina = CpuRun(build(given)), CpuRun(build(asked))
    assert without.structure.silent == ("ik", "ina")
    assert with_ina.structure.silent == ("ik",)
    without.initialize()
    with_ina.initialize()
    first, second = without.advance(100), with_ina.advance(100)
    assert (second.traces[0] == first.traces[0]).all()
    assert second.traces[1].min() < -0.1
