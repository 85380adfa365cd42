"""From a file to a schedule, beside NEURON: ``python -m tests.benchmarks.bench_cells``.

Reading with sections is held against Import3d, cutting against setting nseg and ``finitialize``,
which computes areas and resistances; both on the same file in the same run, in turns, medians kept.
No peer schedules a tree, so ``dhs`` on as many nodes as the full-spine human cell has is held
against ``hines``, which only reverses them.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from engine.discretize import Rule, discretize
from engine.morphology.reading import read_morphology
from engine.morphology.samples import PREFIX, resolve
from engine.morphology.sections import make_sections
from engine.schedule import make_schedule
from engine.types import IntArray
from tests.conftest import DATA
from tests.engine.neuron_sections import import_cell

FILES = ("sample:human_l23", "sample:purkinje", "bench/tree5k.swc", "bench/tree50k.swc.gz")
RULE = Rule("max_length", 40)
SPINY = 101_239
"""Nodes of the full-spine human cell of Eyal et al. 2018: 1,263 and 24,994 spines of four nodes."""


def ms(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


def in_turns(ours: Callable[[], object], theirs: Callable[[], object], n: int) -> dict[str, float]:
    """Medians of both and their ratio (below 1: faster than the peer)."""
    rounds = [(ms(ours), ms(theirs)) for _ in range(n)]
    own, peer = (statistics.median(times) for times in zip(*rounds, strict=True))
    return {"ms": round(own, 2), "peer_ms": round(peer, 2), "ratio": round(own / peer, 3)}


def spiny_tree() -> IntArray:
    """A dendrite of 1,263 nodes with 24,994 spines strewn over it."""
    rng = np.random.default_rng(1)
    shaft = np.maximum(np.arange(1263) - rng.integers(1, 15, 1263), 0)
    shaft[0] = -1
    first = 1263 + 4 * np.arange((SPINY - 1263) // 4)
    at = rng.integers(0, 1263, first.size)
    spines = np.stack([at, first, first + 1, first + 2], axis=1)
    return np.concatenate([shaft, spines.ravel()]).astype(np.int32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    n = parser.parse_args().rounds
    from neuron import h

    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    for name in FILES:
        path = resolve(name) if name.startswith(PREFIX) else DATA / name
        if not path.is_file():
            print(f"{name}: not there, left out")
            continue
        sections = make_sections(read_morphology(path))
        read = in_turns(
            lambda path=path: make_sections(read_morphology(path)),
            lambda path=path: import_cell(h, path),
            n,
        )
        _cell, order = import_cell(h, path)

        def cut_by_neuron(order: list = order) -> None:
            for section in order:
                section.nseg = 1
            for section in order:
                section.nseg = 1 + 2 * int(section.L / RULE.value)
            h.finitialize(-65.0)

        cut = in_turns(lambda s=sections: discretize(s, RULE, nodes="neuron"), cut_by_neuron, n)
        print(json.dumps({"cell": name, "read": read, "cut": cut}))
    parent = spiny_tree()
    for k in (16, 1024):
        make_schedule(parent, "dhs", k)
        both = in_turns(
            lambda k=k: make_schedule(parent, "dhs", k),
            lambda: make_schedule(parent, "hines", 1),
            n,
        )
        print(json.dumps({"nodes": len(parent), "threads": k, "dhs": both}))


if __name__ == "__main__":
    main()
