"""Small models that between them have everything a run can have."""

import shutil
from dataclasses import replace
from pathlib import Path

from engine.experiment import Experiment, Insertion, Probe
from engine.model import Model, build
from engine.spines import Spine, SpineDensity, SpineShape, on_spine
from engine.stimuli import CurrentClamp, GapJunction, NoiseClamp, RampClamp, Site, VoltageClamp
from engine.synapses import NetStim, SpikeSource, SpikeTrain, Synapse
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.mechanisms.test_points import PULSE

SOMA, TUFT, END = Site("soma[0]"), Site("apic[1]", 0.9), Site("dend[1]", 1.0)
TRAIN = SpikeTrain((2.3, 3.0, 7.0125, 7.0125, 4.0))
SYNAPSES = (
    Synapse(END, "ExpSyn", (("tau", 2.0),), (0.01,), NetStim(5.0, 4, 2.0), 0.5),
    Synapse(END, "ExpSyn", (("e", -80.0),), (0.01,), SpikeSource(SOMA, -60.0), 3.0),
    Synapse(TUFT, "ExpSyn", (("tau", 1.0),), (0.004,), SpikeSource(SOMA, -60.0)),
    Synapse(TUFT, "AMPANMDA", (), (0.004,), TRAIN, 1.0),
    Synapse(TUFT, "Pulse", (("high", -55.0),), (0.003,), TRAIN, 0.1),
    Synapse(SOMA, "Pulse", (("tau", 5.0),), (0.002,), SpikeSource(TUFT, -55.0), 0.4),
)
PROBES = (
    *(Probe(site) for site in (SOMA, TUFT, END)),
    Probe(TUFT, "B_NMDA_AMPANMDA"),
    Probe(END, "i_ExpSyn[1]"),
    Probe(TUFT, "count_Pulse"),
    Probe(TUFT, "seen_Pulse"),
    *(Probe(TUFT, name) for name in ("ica", "cai", "eca")),
    *(Probe(SOMA, name) for name in ("i_VoltageClamp", "i_GapJunction", "m_hh", "ena")),
)
MEMBRANE = (
    Insertion("hh", "soma"),
    Insertion("hh", "apical"),
    Insertion("pas", "dendrite"),
    Insertion("CaDynamics_E2", "apical"),
)


def experiment(kind: str, folder: Path) -> Experiment:
    """A cell of 65 nodes: ``passive``, ``hh``, with ``spines`` or with ``everything``."""
    if kind == "spines":
        return spiny(folder)
    if kind == "linear":
        return linear(folder)
    plain = Experiment(
        str(write(folder, FORKED)),
        insertions=(Insertion("hh" if kind == "hh" else "pas"),),
        stimuli=(CurrentClamp(SOMA, 1.0, 8.0, 2.0), CurrentClamp(TUFT, 2.0, 1.0, -0.3)),
        probes=PROBES[:3],
        frame_interval=0.1,
        duration=15.0,
    )
    if kind != "everything":
        return plain
    mechanisms = folder / "mod"
    mechanisms.mkdir(exist_ok=True)
    shutil.copy(PULSE, mechanisms)
    return replace(
        plain,
        mechanism_folders=(str(mechanisms),),
        insertions=MEMBRANE,
        synapses=SYNAPSES,
        probes=PROBES,
        waveforms=(RampClamp(TUFT, 0.0, 5.0, 0.2, 0.1), NoiseClamp(SOMA, 1.0, 10.0, 0.0, 0.2)),
        voltage_clamps=(VoltageClamp(SOMA, (2.0, 1.0, 1.0), (-30.0, -90.0, -20.0)),),
        gap_junctions=(GapJunction(SOMA, TUFT, 0.01), GapJunction(END, TUFT, 0.01)),
    )


OWN = SpineShape(1.2, 0.3, 0.8, 0.9, cm=0.7, g_pas=3e-5, e_pas=-80.0, ra=120.0)


def spiny(folder: Path) -> Experiment:
    """Spines by density, and three of which something is known."""
    ends = on_spine("end", 0), on_spine("head", 1), on_spine("neck", 2)
    weights = (ends[0], 2e-3), (ends[1], 1e-3), (SOMA, 1e-3)
    train = SpikeTrain((1.0, 2.0))
    return replace(
        experiment("passive", folder),
        insertions=(Insertion("pas", "all", (("g", 4e-5), ("e", -72.0))),),
        spine_density=(SpineDensity(per_um=1.1, min_distance=50.0, shape=OWN),),
        spines=(Spine(TUFT, taken=True), Spine(Site("apic[0]", 0.9), SpineShape()), Spine(TUFT)),
        synapses=tuple(Synapse(site, "ExpSyn", (), (w,), train) for site, w in weights),
        stimuli=(CurrentClamp(ends[2], 1.0, 3.0, 0.02), CurrentClamp(SOMA, 2.0, 3.0, 0.5)),
        probes=(Probe(SOMA), Probe(TUFT), *(Probe(end) for end in ends)),
    )


def linear(folder: Path) -> Experiment:
    """Spines by density and alone, current put into two of these, and nothing but leaks."""
    given = spiny(folder)
    ends = on_spine("end", 0), on_spine("neck", 2)
    into = (CurrentClamp(ends[0], 0.5, 6.0, 0.05), CurrentClamp(SOMA, 2.0, 3.0, 0.5))
    waves = (RampClamp(SOMA, 0.0, 9.0, 0.2, 0.1), RampClamp(ends[1], 3.0, 5.0, 0.0, 0.1))
    return replace(given, synapses=(), stimuli=into, waveforms=waves)


KINDS = ("passive", "hh", "everything", "spines", "linear")


def model(kind: str, folder: Path, n_instance: int = 1) -> Model:
    return build(experiment(kind, folder), n_instance)
