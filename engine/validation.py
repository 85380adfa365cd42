"""What an experiment must fulfill to be run; each refusal is one sentence with the way out."""

import math
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from engine.codec import close_match
from engine.compartments import CompartmentTree
from engine.distributions import Distribution, Value, check_value
from engine.errors import UserError
from engine.experiment import Experiment
from engine.mechanism_folders import known_mechanisms
from engine.mechanisms.model import Mechanism
from engine.regions import Subset
from engine.schedule import MAX_THREADS
from engine.spines import SpineShape, place_on_spine
from engine.stimuli import NoiseClamp, Site
from engine.synapses import NetStim, PointSource, SpikeSource, SpikeTrain, Synapse
from engine.types import IntArray
from engine.units import ABSOLUTE_ZERO_C


def validate(experiment: Experiment, tree: CompartmentTree, kept: bool = True) -> None:
    """Refuse an experiment that cannot be run on this cell.

    ``kept``: all samples and frames are to stay in memory, so that there must be room for them.

    Raises
    ------
    UserError
        Naming the first thing that is wrong: a number out of range, a site the cell does not have,
        an unknown mechanism or parameter, or a run too long for the memory of this machine.
    """
    check_settings(experiment)
    check_sites(experiment, tree.sections.name)
    known = experiment_mechanisms(experiment)
    given = [(i.mechanism, i.parameters) for i in experiment.insertions]
    given += [(s.mechanism, s.parameters) for s in experiment.synapses]
    for mechanism_name, parameters in given:
        mechanism = placed_mechanism(mechanism_name, known)
        names = {p.name for p in mechanism.parameters}
        for name, _ in parameters:
            if name not in names:
                raise no_parameter(mechanism, name)
    check_memory(experiment, tree.n_comp, kept=kept)


def check_settings(experiment: Experiment, *others: Experiment) -> None:
    """Refuse numbers no run can have.

    ``others`` are of the same batch: of them only what may differ is looked at.

    Raises
    ------
    UserError
    """
    _check_positive("time step dt", experiment.dt, "ms", "such as 0.025 ms")
    _check_positive("duration", experiment.duration, "ms", "such as 300 ms")
    _check_positive("frame interval", experiment.frame_interval, "ms", "such as 0.5 ms")
    if experiment.duration < experiment.dt:
        raise UserError(
            f"duration {experiment.duration:g} ms is shorter than one step of "
            f"{experiment.dt:g} ms; make it longer"
        )
    for what, value in (
        ("initial voltage v_init", experiment.v_init),
        ("temperature", experiment.celsius),
        ("spike threshold", experiment.spike_threshold),
    ):
        if not math.isfinite(value):
            raise UserError(f"{what} is {value}; write a number")
    if experiment.celsius <= ABSOLUTE_ZERO_C:
        raise UserError(
            f"temperature is {experiment.celsius:g} °C, below absolute zero; write degrees "
            "Celsius, such as 6.3 or 37"
        )
    if not 1 <= experiment.n_threads <= MAX_THREADS:
        raise UserError(
            f"{experiment.n_threads} threads cannot be scheduled; choose 1 to {MAX_THREADS}"
        )
    for cable in experiment.cables:
        _check_positive(f"ra of region '{cable.region}'", cable.ra, "Ω·cm", "such as 150")
        if isinstance(cable.cm, Distribution):
            check_value(cable.cm, f"cm of region '{cable.region}'")
        else:
            _check_positive(f"cm of region '{cable.region}'", cable.cm, "µF/cm²", "such as 1")
    for insertion in experiment.insertions:
        for name, given in insertion.parameters:
            check_value(given, f"parameter '{name}' of mechanism '{insertion.mechanism}'")
    for entry in experiment.ion_values:
        check_value(entry.value, f"'{entry.name}' of region '{entry.region}'")
    for what, where in subsets(experiment):
        where.check(what)
    for density in experiment.spine_density:
        density.check(f"the spines of region '{density.region}'")
    for factor in experiment.f_factors:
        _check_positive(f"F factor of region '{factor.region}'", factor.factor, "", "such as 1.9")
    check_attached(experiment)
    for each in (experiment, *others):
        _check_own(each)


def _check_own(experiment: Experiment) -> None:
    """What may be another one in every instance of a batch."""
    for clamp in experiment.stimuli:
        numbers = clamp.delay, clamp.duration, clamp.amplitude
        if not all(math.isfinite(x) for x in numbers) or clamp.duration < 0:
            raise UserError(
                f"the clamp at {clamp.site} has delay {clamp.delay:g} ms, duration "
                f"{clamp.duration:g} ms and {clamp.amplitude:g} nA; write finite numbers and a "
                "duration of 0 or more"
            )
    checked: SpineShape | None = None
    for number, spine in enumerate(experiment.spines):
        if spine.shape is not None and spine.shape is not checked:  # thousands share one
            spine.shape.check(f"spine[{number}] at {spine.site}")
            checked = spine.shape
    for synapse in experiment.synapses:
        if not _is_sound(synapse):
            _check_synapse(synapse, len(experiment.synapses))


def check_attached(experiment: Experiment) -> None:
    """Refuse clamps and gap junctions with numbers that mean nothing.

    Raises
    ------
    UserError
    """
    for clamp in experiment.waveforms:
        what = f"the {clamp.kind} clamp at {clamp.site}"
        _check_numbers(clamp, what)
        _check_positive(f"duration of {what}", clamp.duration, "ms", "such as 100 ms")
        if isinstance(clamp, NoiseClamp):
            _check_positive(f"interval of {what}", clamp.interval, "ms", "such as 0.5 ms")
            _check_not_negative(f"deviation of {what}", clamp.deviation, "nA")
            _check_not_negative(f"stream of {what}", clamp.stream, "")
    for hold in experiment.voltage_clamps:
        what = f"the voltage clamp at {hold.site}"
        _check_positive(f"resistance of {what}", hold.resistance, "MΩ", "such as 1 MΩ")
        for value in (*hold.durations, *hold.levels):
            if not math.isfinite(value):
                raise UserError(f"{what} has {value} among its durations and levels; write numbers")
        for value in hold.durations:
            _check_not_negative(f"a duration of {what}", value, "ms")
    for gap in experiment.gap_junctions:
        what = f"conductance of the gap junction at {gap.site}"
        _check_not_negative(what, gap.conductance, "µS")


def _is_sound(synapse: Synapse) -> bool:
    """Whether one of the usual kind has nothing wrong; others are looked at more closely."""
    if not 0 <= synapse.delay < math.inf or synapse.parameters:
        return False
    for weight in synapse.weights:
        if not -math.inf < weight < math.inf:
            return False
    if not isinstance(synapse.source, SpikeTrain):
        return synapse.source is None
    return all(0 <= time < math.inf for time in synapse.source.times)


def _check_synapse(synapse: Synapse, n_synapse: int) -> None:
    """Refuse numbers that mean nothing; the experiment has ``n_synapse``."""
    what = f"the synapse at {synapse.site}"
    _check_not_negative(f"delay of {what}", synapse.delay, "ms")
    for name, value in (*synapse.parameters, *(("weight", w) for w in synapse.weights)):
        if not math.isfinite(value):
            raise UserError(f"{name} of {what} is {value}; write a number")
    match synapse.source:
        case SpikeTrain(times):
            for time in times:
                _check_not_negative(f"a time of {what}", time, "ms")
        case NetStim():
            _check_numbers(synapse.source, f"the source of {what}")
            _check_not_negative(f"stream of the source of {what}", synapse.source.stream, "")
        case SpikeSource():
            _check_numbers(synapse.source, f"the source of {what}")
        case PointSource(number):
            if not 0 <= number < n_synapse:
                raise UserError(
                    f"the source of {what} is synapse {number}; the experiment has {n_synapse}, "
                    f"numbered from 0, so name one of them"
                )


def _check_numbers(given: object, what: str) -> None:
    """Refuse NaN and infinity in any field of a dataclass."""
    for name, value in vars(given).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{name} of {what} is {value}; write a number")


def _check_not_negative(what: str, value: float, unit: str) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise UserError(f"{what} is {value:g} {unit}".rstrip() + "; it must be 0 or more")


def subsets(experiment: Experiment) -> list[tuple[str, Subset]]:
    """Every part of a region that an experiment names, with what it is for."""
    named = [("cable", cable.where) for cable in experiment.cables]
    named += [("F factor", factor.where) for factor in experiment.f_factors]
    named += [("spines", density.where) for density in experiment.spine_density]
    named += [(f"mechanism '{i.mechanism}'", i.where) for i in experiment.insertions]
    named += [(f"'{entry.name}'", entry.where) for entry in experiment.ion_values]
    return [(what, where) for what, where in named if where is not None]


def origins(experiment: Experiment) -> list[tuple[str, Site]]:
    """Every site from which an experiment measures distances."""
    values: list[Value] = [cable.cm for cable in experiment.cables]
    values += [value for i in experiment.insertions for _, value in i.parameters]
    values += [entry.value for entry in experiment.ion_values]
    found = [value.origin for value in values if isinstance(value, Distribution)]
    found += [where.origin for _, where in subsets(experiment)]
    return [("origin", site) for site in dict.fromkeys(found) if site is not None]


def sites(experiment: Experiment) -> list[tuple[str, Site]]:
    """Every site an experiment names, with what sits there."""
    named = [("clamp", clamp.site) for clamp in experiment.stimuli]
    named += [("probe", probe.site) for probe in experiment.probes]
    named += [("clamp", clamp.site) for clamp in experiment.waveforms]
    named += [("voltage clamp", clamp.site) for clamp in experiment.voltage_clamps]
    for gap in experiment.gap_junctions:
        named += [("gap junction", gap.site), ("gap junction", gap.other)]
    for synapse in experiment.synapses:
        named.append(("synapse", synapse.site))
        if isinstance(synapse.source, SpikeSource):
            named.append(("source of a synapse", synapse.source.site))
    named += [("spine", spine.site) for spine in experiment.spines]
    if experiment.spike_site is not None:
        named.append(("spike site", experiment.spike_site))
    return named + origins(experiment)


def check_sites(experiment: Experiment, sections: Sequence[str]) -> None:
    """Refuse sites that neither the cell nor one of the experiment's spines has.

    Raises
    ------
    UserError
        As :func:`check_site`.
    """
    n_spine, known = len(experiment.spines), frozenset(sections)
    for what, site in sites(experiment):
        place = place_on_spine(site) if what not in ("spine", "spike site", "origin") else None
        if place is None:
            if site.section not in known or not 0 <= site.x <= 1:
                check_site(sections, site, what)
        elif place[0] >= n_spine:
            there = f"it has spine[0] … spine[{n_spine - 1}]" if n_spine else "it has no spines"
            raise UserError(
                f"{what} at {site}: the experiment has no spine {place[0]}; {there}, add one to "
                "its spines"
            )


def check_site(sections: Sequence[str], site: Site, what: str) -> None:
    """Refuse a site that the cell does not have.

    Raises
    ------
    UserError
        Names what sits there, the site, and a section of a near name.
    """
    if site.section not in sections:
        near = get_close_matches(site.section, sections, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"it has {sections[0]} … {sections[-1]}"
        raise UserError(f"{what} at {site}: the cell has no section '{site.section}'; {hint}")
    if not 0 <= site.x <= 1:
        raise UserError(f"{what} at {site}: position {site.x:g} is outside the section; use 0 to 1")


def locate(tree: CompartmentTree, site: Site, what: str) -> int:
    """Node of a site; raises as :func:`check_site`."""
    if site.section not in tree.section_index or not 0 <= site.x <= 1:
        check_site(tree.sections.name, site, what)
    return tree.locate(site.section, site.x)


def locate_all(tree: CompartmentTree, given: Sequence[Site], what: str) -> IntArray:
    """(n,) nodes of many sites; raises as :func:`check_site`."""
    for site in given:
        if site.section not in tree.section_index or not 0 <= site.x <= 1:
            check_site(tree.sections.name, site, what)
    return tree.locate_all([site.section for site in given], [site.x for site in given])


def experiment_mechanisms(*experiments: Experiment) -> dict[str, Mechanism]:
    """The mechanisms experiments can use, by name: the library's and those of the first's folders.

    Raises
    ------
    FileError
        If a folder cannot be read, or the file of a mechanism that is used is not ready.
    """
    wanted = {i.mechanism for e in experiments for i in e.insertions}
    wanted |= {synapse.mechanism for e in experiments for synapse in e.synapses}
    return known_mechanisms(experiments[0].mechanism_folders, sorted(wanted))


def placed_mechanism(name: str, known: Mapping[str, Mechanism]) -> Mechanism:
    """The mechanism of that name.

    Raises
    ------
    UserError
        If there is none; names a close match.
    """
    if name not in known:
        raise UserError(f"there is no mechanism '{name}'; {close_match(name, list(known))}")
    return known[name]


def no_parameter(mechanism: Mechanism, name: str) -> UserError:
    """The error for a parameter that a mechanism does not have."""
    hint = close_match(name, [p.name for p in mechanism.parameters])
    return UserError(f"mechanism '{mechanism.name}' has no parameter '{name}'; {hint}")


POINT_BYTES, TWIG_BYTES = 500, 250
"""What a synapse and a spine take, of one instance, with their tables."""


def check_memory(
    experiment: Experiment,
    n_comp: int,
    n_instance: int = 1,
    kept: bool = True,
    others: Sequence[Experiment] = (),
) -> None:
    """Refuse a run that does not fit into the free memory of this machine.

    ``kept``: its samples and frames stay there to its end; otherwise the cell alone counts.
    ``others``: the experiments of a batch's further instances.

    Raises
    ------
    UserError
    """
    free = free_memory()
    everyone, copies = (experiment, *others), 1 if others else n_instance
    n_time = experiment.duration / experiment.dt + 1
    n_frame = min(n_time, experiment.duration / experiment.frame_interval + 1)
    n_point = sum(len(e.synapses) for e in everyone)
    n_twig = sum(len(e.spines) + len(e.spine_density) * n_comp for e in everyone)
    needed = {
        "samples": 8 * n_time * (1 + len(experiment.probes) * n_instance) * kept,
        "frames": n_comp * 4 * n_frame * kept,
        "played currents": 8 * n_time * sum(len(e.waveforms) for e in everyone),
        "the cell": 8 * n_comp * 40 * n_instance
        + copies * (POINT_BYTES * n_point + TWIG_BYTES * n_twig),
    }
    if free is not None and sum(needed.values()) > free:
        large = max(needed, key=lambda part: needed[part])
        way_out = {
            "samples": "shorten the run or record fewer sites",
            "frames": "shorten the run or lengthen the frame interval",
            "played currents": "shorten the run or play fewer currents",
            "the cell": "run fewer instances at once",
        }[large]
        raise UserError(
            f"{experiment.duration:g} ms needs {sum(needed.values()) / 1e9:.4g} GB and "
            f"{free / 1e9:.1f} GB are free, most of it for {large}; {way_out}"
        )


def free_memory() -> int | None:
    """Bytes of memory that can still be taken, None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _check_positive(what: str, value: float, unit: str, example: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UserError(f"{what} is {value:g} {unit}; it must be positive, {example}")
