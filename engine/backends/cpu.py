"""The CPU backend: a model's compiled step loop."""

import os
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numba
import numpy as np

from engine.backends import kernels
from engine.backends.arguments import loop_arguments
from engine.backends.base import VOLTAGE_LIMIT, PopulationRun, Run, Samples, join
from engine.backends.events import event_arrays, grow, relay_arrays, relays, reset_events
from engine.backends.flat import TWIG_TABLES, Flat, Places, attached_arrays
from engine.backends.layout import Layout, level_order, part_order
from engine.backends.pace import Pace
from engine.backends.source import emit
from engine.backends.structure import Structure, ion_name, state_name, table_name
from engine.linear import is_linear, leak
from engine.mechanisms.cache import compile_source
from engine.mechanisms.hoisting import hoist
from engine.mechanisms.lanes import WIDTH, roomy
from engine.model import Model
from engine.placing import Placed
from engine.types import BoolArray, FloatArray, IntArray
from engine.units import NA_PER_MA_CM2_UM2

ENOUGH = 10_000
"""Compartments that are worth a core: below, waiting for one another takes what is won."""


def available_cores() -> int:
    """Cores this process may run on."""
    known = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1


class CpuBackend:
    """numba on the cores of the processor."""

    name = "cpu"

    def describe(self) -> str:
        return "CPU"

    def start(self, model: Model, threads: int | None = None) -> Run:
        from engine.backends.batch import BatchRun  # made of CpuRun
        from engine.backends.rest import rested

        model = rested(model)
        if model.n_instance > 1:
            return BatchRun(model, threads)
        cores = threads or available_cores()
        return CpuRun(model, min(cores, model.n_comp // ENOUGH))

    def start_population(
        self, models: Sequence[Model], threads: int | None = None
    ) -> PopulationRun:
        """Every model's cells, shared among the cores."""
        from engine.backends.batch import CpuPopulation
        from engine.backends.rest import rested

        return CpuPopulation([rested(model) for model in models], threads)


class CpuRun:
    """A model in motion, of one instance or of eight side by side.

    All arrays lie in level order, instances fastest, with room behind them for whole vectors.

    Parameters
    ----------
    model : Model
        Other numbers of instances are for :class:`engine.backends.batch.BatchRun`.
    cores
        To share one cell; the bits do not depend on it. A cell that cannot be cut into equal parts
        runs on one.
    """

    def __init__(self, model: Model, cores: int = 1) -> None:
        assert model.n_instance in (1, WIDTH)
        hoisted = tuple(replace(p, mechanism=hoist(p.mechanism)) for p in model.placed)
        self.model = model = replace(model, placed=hoisted)
        parted = part_order(model.tree.parent, cores) if cores > 1 else None
        self.layout = parted or level_order(model.tree.parent)
        kept = [p for p in model.placed if len(p.node) and not is_linear(p.mechanism)]
        attached = len(model.played_node) + len(model.hold_node) + len(model.gap_node) > 0
        mechanisms = tuple(p.mechanism for p in kept)
        several = parted is not None
        read = {name for m in mechanisms for ion in m.ions for name in ion.read}
        asked = read | {probe.variable for probe in model.probes if probe.kind == "ion"}
        silent = tuple(name for name in model.ion_currents if name not in asked)
        self._takers = [p for p in kept if p.connections is not None and p.mechanism.receive]
        density = [p for p in kept if not p.is_point]
        runs = [p.mechanism.name for p in density if first_of_run(self._rows(p)[0]) >= 0]
        self.structure = Structure(
            mechanisms,
            rows=model.n_instance > 1,
            attached=attached,
            cores=several,
            silent=silent,
            twigs=model.twigs is not None,
            consecutive=tuple(runs),
            relays=(pairs := relays(self._takers)),
        )
        self._flat = Flat(model, self.layout)
        self._points = {p.mechanism.name: self._flat.points(p) for p in kept if p.is_point}
        self._pace = None
        if several:
            self._pace = Pace((len(self.layout.start) - 1, 1))
            numba.get_num_threads()  # starts them; code from the cache does not, and would crash
        self._code = compile_source(emit(self.structure), self.structure.name)
        self._arrays = self._allocate()
        for placed in kept:
            self._arrays |= self._mechanism_arrays(placed)
        by_name = {p.mechanism.name: p for p in self._takers}
        for source, target in pairs:
            ends = by_name[source], by_name[target]
            self._arrays |= relay_arrays(*ends, self._points, model.n_instance)
        self._add_system()
        for name, value in self._arrays.items():
            if isinstance(value, np.ndarray) and value.ndim == 1:
                self._arrays[name] = roomy(value)

    def _allocate(self) -> dict[str, Any]:
        model, layout, experiment = self.model, self.layout, self.model.experiment
        n, k, flat = model.n_comp, model.n_instance, self._flat
        arrays: dict[str, Any] = {name: np.zeros(flat.size) for name in ("v", "d", "r")}
        arrays |= {name: np.zeros(n * k) for name in ("i_membrane", "g_membrane")}
        arrays |= {ion_name(name): np.zeros(n * k) for name in model.ion_currents}
        for name in model.ions:
            arrays[ion_name(name)] = np.zeros(n * k)
        if flat.arrays:
            arrays |= flat.arrays
        else:
            arrays |= dict.fromkeys(TWIG_TABLES, np.empty(0))
        return arrays | {
            "clock": np.zeros(1),
            "counter": np.zeros(1, np.int64),
            "dt": experiment.dt,
            "celsius": experiment.celsius,
            "threshold": experiment.spike_threshold,
            "limit": VOLTAGE_LIMIT,
            "n_root": layout.n_root,
            "n_instance": k,
            "single": 1,
            "spare": flat.spare,
            "parent": layout.parent,
            "place": layout.place,
            **attached_arrays(model, flat),
            "level_start": layout.level_start,
            "rest": self._rest(),
            "n_part": len(layout.start) - 1,
            "part_start": layout.start,
            "joint": layout.joint,
            "share": np.zeros(n * self.structure.cores),
            "flow": np.zeros(n * self.structure.cores),
            **self._probe_tables(),
            "spike_node": int(layout.place[model.spike_node]),
            "above": np.zeros(k, np.bool_),
            "frame_every": model.frame_every,
        }

    def _probe_tables(self) -> dict[str, Any]:
        """Probes sorted by the array they read: their slot in the traces, places in the array."""
        model, names, k = self.model, list(self.structure.probed), self.model.n_instance
        lane = np.arange(k)
        array, places = [], [np.empty((0, k), np.int64)]
        for probe in model.probes:
            rows = np.array(probe.rows or (probe.index,) * k, np.int32)
            place: Places
            name = {"voltage": "v", "ion": ion_name(probe.variable)}.get(probe.kind, probe.variable)
            if probe.kind in ("voltage", "ion"):
                place = self._flat.places(rows, lane)
            elif probe.kind in ("hold", "gap"):
                owner = getattr(model, f"{probe.kind}_instance")
                place = (rows if owner is not None else rows * k + lane).astype(np.int64)
            else:
                placed = model.placed[probe.mechanism]
                name = state_name(placed.mechanism, probe.variable)
                place = self._elements(placed, rows)
            array.append(names.index(name))
            places.append(place[None])
        slot = np.argsort(array, kind="stable").astype(np.int32)
        start = np.searchsorted(np.sort(array), np.arange(len(names) + 1)).astype(np.int32)
        table = np.concatenate(places).astype(np.int64)[slot]
        return {"probe_slot": slot, "probe_place": table, "probe_start": start}

    def _rows(self, placed: Placed) -> tuple[IntArray, IntArray]:
        """Where a density mechanism is computed, and which of its entries is used there.

        Eight instances are a vector whether nodes are consecutive or not.
        """
        if self.model.n_instance == 1:
            return spread(placed.node, self.layout, self.model.tree.massless)
        place = self.layout.place[placed.node]
        rows = np.argsort(place, kind="stable").astype(np.int32)
        return place[rows], rows

    def _rest(self) -> IntArray:
        """Places that the mechanism which closes the equations does not cover."""
        every = np.arange(self.model.n_comp, dtype=np.int32)
        last = self.structure.last
        done = [self._rows(p)[0] for p in self.model.placed if p.mechanism is last]
        return np.setdiff1d(every, np.concatenate(done)) if done else every

    def _elements(self, placed: Placed, index: IntArray) -> Places:
        """(n_instance,) where the entry of every instance is in a mechanism's arrays."""
        lane = np.arange(self.model.n_instance)
        if placed.is_point:
            entries = self._points[placed.mechanism.name].entries
            pairs = zip(index, lane, strict=True)
            found = [np.flatnonzero((entries.item == i) & (entries.lane == j)) for i, j in pairs]
            # an instance that is only there to fill a vector has no points
            return np.array([at[0] if len(at) else 0 for at in found], np.int64)
        node, _ = self._rows(placed)
        row = np.searchsorted(node, self.layout.place[placed.node[index]])
        return (row * self.model.n_instance + lane).astype(np.int64)

    def _mechanism_arrays(self, placed: Placed) -> dict[str, Any]:
        mechanism, tree, k = placed.mechanism, self.model.tree, self.model.n_instance
        if placed.is_point:
            entries = self._points[mechanism.name].entries
            rows, size, first = entries.item.astype(np.int32), len(entries.item), -1
            node = self._flat.places(placed.node[rows], entries.lane).astype(np.int32)
        else:
            node, rows = self._rows(placed)
            size, first = len(node) * k, first_of_run(node)
        where: dict[str, Any] = {"node": node, "n": len(node), "first": first}
        arrays: dict[str, Any] = {name: values[rows] for name, values in placed.values.items()}
        arrays |= placed.shared
        arrays |= {s.name: np.zeros(size) for s in (*mechanism.states, *mechanism.assigned)}
        on_tree = np.minimum(placed.node[rows], tree.n_comp - 1)
        arrays["diam"], arrays["area"] = tree.diameter[on_tree], tree.area[on_tree]
        if placed.is_point:
            where |= {"i": np.zeros(size), "g": np.zeros(size)}
            if self.model.twigs is not None:
                there = placed.node[rows] >= tree.n_comp
                area, diameter = self.model.twigs.geometry(placed.node[rows][there])
                arrays["area"][there], arrays["diam"][there] = area, diameter
        named = {state_name(mechanism, name): value for name, value in arrays.items()}
        if placed.is_point:
            named |= event_arrays(placed, self._points[mechanism.name], self._flat)
        return named | {table_name(mechanism, name): value for name, value in where.items()}

    def _add_system(self) -> None:
        """Everything about the cell's equations that never changes."""
        model, layout, arrays = self.model, self.layout, self._arrays
        area = layout.arrange(model.tree.area) * NA_PER_MA_CM2_UM2
        linear = leak(model.placed, model.n_comp, model.experiment.celsius)
        leak_i, leak_g = (layout.arrange(x) * area for x in linear)
        a = layout.arrange(model.tree.g_axial)
        rate = layout.arrange(model.capacitance) / model.experiment.dt
        own = rate + a + leak_g
        own = own[layout.place]  # the order of the tree: the sums do not depend on the layout
        inner = np.flatnonzero(model.tree.parent >= 0)
        np.add.at(own, model.tree.parent[inner], model.tree.g_axial[inner])
        own = layout.arrange(own)
        size = model.n_comp * model.n_instance
        if self.structure.constant:
            carry, x = np.zeros((2, size))
            inverse, f = self._factors(a, own)
        else:
            f, inverse, carry, x = np.zeros(self._flat.size), *np.zeros((3, 0))
        arrays |= {"a": a, "own": own, "area": area, "leak_i": leak_i, "leak_g": leak_g}
        arrays |= {"inverse": inverse, "f": f, "rate": rate, "carry": carry, "x": x}

    def _factors(self, a: FloatArray, own: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The constant matrix factored, in the order of one core whatever the layout is."""
        serial, place = level_order(self.model.tree.parent), self.layout.place
        inverse, f = np.zeros((2, self.model.n_comp))
        a, own = a[place][serial.order], own[place][serial.order]
        kernels.factor_constant(serial.parent, serial.n_root, a, own, inverse, f)
        order = serial.place[self.layout.order]
        return inverse[order], f[order]

    @property
    def array_bytes(self) -> int:
        """Bytes of all arrays that the step loop works on; views of one array count once."""
        arrays = [x for x in self._arrays.values() if isinstance(x, np.ndarray)]
        owners = [x if x.base is None else x.base for x in arrays]
        return sum({id(x): x.nbytes for x in owners}.values())

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        n, k = self.model.n_comp, self.model.n_instance
        return self._arrays["v"][: n * k].reshape(n, k)[self.layout.place]

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it, as NEURON's ``finitialize``."""
        arrays = self._arrays
        arrays["clock"][:] = 0.0
        arrays["counter"][:] = 0
        arrays["above"][:] = False
        arrays["v"][:] = self.model.experiment.v_init
        for name, values in self.model.ions.items():
            arrays[ion_name(name)][:] = np.repeat(
                self.layout.arrange(values), self.model.n_instance
            )
        for p in self._takers:
            reset_events(arrays, p, self._points[p.mechanism.name], self.model.n_instance)
        buffers = self._buffers(1, 1)
        n_spike = self._code.start(*self._arguments(buffers))
        return self._samples(buffers, 1, 1, n_spike)

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        if self._pace is None:
            return self._advance(n_step)
        threads = self._pace.choose()
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        begin = perf_counter()
        samples = self._advance(n_step)
        self._pace.note(threads, (perf_counter() - begin) / max(n_step, 1))
        return samples

    def _advance(self, n_step: int) -> Samples:
        done = int(self._arrays["counter"][0])
        every = self.model.frame_every
        buffers = self._buffers(n_step, (done + n_step) // every - done // every)
        n_done, n_frame, n_spike, bad = self._code.advance(n_step, *self._arguments(buffers))
        samples = self._samples(buffers, n_done, n_frame, n_spike, bad > 0)
        if bad >= 0:
            return samples
        for p in self._takers:  # the queue of one of them is filling up
            grow(self._arrays, p.mechanism)
        return join(samples, self._advance(n_step - n_done))

    def system(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """The equations of the next step, for one instance, in the order of the tree.

        Returns
        -------
        a, v, d, r : (n_comp,)
            As :func:`engine.backends.kernels.solve` takes them.
        """
        arrays = self._arrays
        self._code.system(*self._arguments(self._buffers(0, 0)))
        a, v, d, r = (arrays[name][self.layout.place] for name in ("a", "v", "d", "r"))
        return a, v, d, r

    def _arguments(self, buffers: dict[str, Any]) -> list[Any]:
        arrays = self._arrays | buffers
        return [arrays[name] for name in loop_arguments(self.structure)]

    def _buffers(self, n_step: int, n_frame: int) -> dict[str, Any]:
        model = self.model
        return {
            "times": np.zeros(n_step),
            "traces": np.empty((len(model.probes), model.n_instance, n_step)),
            "frame_times": np.empty(n_frame),
            "frames": np.empty((n_frame, model.n_comp), np.float32),
            "spikes": np.empty((model.n_instance * (n_step // 2 + 1), 2)),
        }

    def _samples(
        self, buffers: dict[str, Any], n_step: int, n_frame: int, n_spike: int, bad: bool = False
    ) -> Samples:
        return Samples(
            time=buffers["times"][:n_step],
            traces=buffers["traces"][:, :, :n_step],
            frame_time=buffers["frame_times"][:n_frame],
            frames=buffers["frames"][:n_frame],
            spikes=buffers["spikes"][:n_spike],
            bad=self._first_bad() if bad else None,
        )

    def _first_bad(self) -> tuple[int, int, float]:
        found = np.argwhere(~(np.abs(self.voltage) <= VOLTAGE_LIMIT))
        node, instance = found[0] if len(found) else self._flat.bad_twig(self._arrays["v"])
        return int(node), int(instance), float(self._arrays["clock"][0])


def spread(node: IntArray, layout: Layout, massless: BoolArray) -> tuple[IntArray, IntArray]:
    """Where a mechanism is computed, in order of place.

    Nodes in a row are vector code, scattered ones are not. So where only massless nodes lie between
    a mechanism's nodes it is computed there too, which adds nothing: their area is 0.

    Returns
    -------
    place : (m,) int32
    row : (m,) int32
        The entry of ``node`` whose parameters are used there.
    """
    by_place = np.argsort(layout.place[node]).astype(np.int32)
    place = layout.place[node][by_place]
    full = np.arange(place[0], place[-1] + 1, dtype=np.int32)
    between = np.setdiff1d(full, place, assume_unique=True)
    if not massless[layout.order[between]].all():
        return place, by_place
    return full, by_place[np.searchsorted(place, full, side="right") - 1]


def first_of_run(node: IntArray) -> int:
    """The first node where the nodes are consecutive, else -1."""
    return int(node[0]) if node[-1] - node[0] == len(node) - 1 else -1
