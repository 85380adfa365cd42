"""Which shape is the fastest for a tree on a device: a short measurement, remembered.

How the tree is solved decides about the last digits, and is chosen once for a tree and a device:
whatever else changes (the number of cells, their membrane, synapses and spines), the digits stay.
Where it cannot be remembered, the schedule's steps are taken, whose bits no shape changes.
What else is measured once is remembered beside it.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.backends.gpu.device import WARP, Device
from engine.backends.gpu.run import GpuRun
from engine.backends.gpu.shape import Shape, Solve, Store
from engine.backends.gpu.source import emit
from engine.backends.gpu.tables import structure_of
from engine.errors import BackendError
from engine.mechanisms.cache import cache_dir
from engine.model import Model

FILE = "gpu_shapes.json"
STEPS = 16
"""Of one measurement, at most; the first one, which warms up, is not counted."""
ROUNDS = 3


def candidates(n_node: int, n_all: int) -> list[Shape]:
    """Shapes worth a trial, few enough to be quick.

    Parameters
    ----------
    n_node
        Of the tree, which is solved along its depth.
    n_all
        With those of spines, which are not.
    """
    if n_all <= 64:
        return [Shape(8, 8), Shape(16, 16), Shape(32, 32)]
    if n_all <= 512:
        return [Shape(32, 32), Shape(64, 32), Shape(128, 32)]
    shapes = [Shape(32, 32), Shape(128, 32), Shape(256, 32)]
    if n_node > 1024:
        shapes.append(Shape(128, 128))
    if n_all > 4096:
        shapes += [Shape(512, 32), Shape(1024, 32)]
    if n_node > 8192:
        shapes += [Shape(512, 512), Shape(1024, 1024)]
    return shapes


def solves(shape: Shape) -> list[Shape]:
    """The other solve with the threads of a shape; more of them take more nodes in a round."""
    lanes = sorted({shape.lanes, min(shape.threads, 4 * shape.lanes)})
    return [replace(shape, lanes=k, solve="contract") for k in lanes]


def stores(shape: Shape, n_node: int, n_all: int) -> list[Shape]:
    """Other places of memory: what takes less of a multiprocessor lets more cells run there."""
    if n_all <= 1024:
        return []
    found: list[Store] = ["tree", "global"] if n_all > n_node else ["global"]
    return [replace(shape, store=store) for store in found]


def nodes_of(model: Model) -> tuple[int, int]:
    """Nodes of the tree, and about how many there are with those of an instance's twigs."""
    twigs = model.twigs
    if twigs is None:
        return model.n_comp, model.n_comp
    each = twigs.n_twig if twigs.instance is None else twigs.n_twig // model.n_instance
    return model.n_comp, model.n_comp + 3 * each


def choose_shape(model: Model, device: Device, single: bool = False, rounds: bool = True) -> Shape:
    """The fastest of the candidates; measured once for a tree, membrane and device.

    First the numbers of threads are tried, then with the best of them the other solve, and with the
    better of both the other places of memory. Without ``rounds`` it is solved by steps.

    Raises
    ------
    BackendError
        If none of them can run.
    """
    key, tree = key_of(model, device, single), _tree_key(model, device)
    if not rounds:
        key += " steps"
    known = read(FILE)
    if key in known:
        return Shape(*known[key])
    sizes, solve = nodes_of(model), known.get(tree) if rounds else None
    best, seconds = fastest(model, device, decided(candidates(*sizes), solve), single)
    if rounds and solve is None:
        plain = best, seconds
        best, seconds = fastest(model, device, solves(best), single, plain)
        if tree in read(FILE):  # another process was faster
            return choose_shape(model, device, single)
        if not write(FILE, {**read(FILE), tree: [best.solve, best.lanes]}):
            best, seconds = plain
    best, _ = fastest(model, device, stores(best, *sizes), single, (best, seconds))
    write(FILE, {**read(FILE), key: [best.threads, best.lanes, best.solve, best.store]})
    return best


def decided(shapes: list[Shape], solve: Sequence[Any] | None) -> list[Shape]:
    """Shapes that solve a tree as it was decided before: by steps, or rounds of so many nodes."""
    if solve is None or solve[0] == "dhs":
        return shapes
    kind: Solve = "contract"
    k = int(solve[1])
    wide = {s.threads: replace(s, lanes=k, solve=kind) for s in shapes if s.threads >= k}
    return list(wide.values()) or [Shape(k, k, kind)]


def fastest(
    model: Model,
    device: Device,
    shapes: Iterable[Shape],
    single: bool = False,
    known: tuple[Shape, float] | None = None,
) -> tuple[Shape, float]:
    """Measure all on the first steps of the model itself; at a draw the first one wins.

    Returns
    -------
    shape
        The fastest, that of ``known`` among them.
    seconds

    Raises
    ------
    BackendError
        That of the first shape, if none can run.
    """
    seconds: dict[Shape, float] = {} if known is None else {known[0]: known[1]}
    trouble: BackendError | None = None
    for shape in shapes:
        try:
            seconds[shape] = measure(GpuRun(model, device, shape, single), device)
        except BackendError as error:  # more registers or shared memory than there are
            trouble = trouble or error
    if not seconds:
        assert trouble is not None
        raise trouble
    best = min(seconds, key=lambda shape: seconds[shape])
    return best, seconds[best]


def measure(run: GpuRun, device: Device, n_step: int = STEPS) -> float:
    """Seconds that the device needs for a step, the best of some rounds from the start on."""
    steps = min(n_step, run.model.n_step)
    taken = []
    for _ in range(1 + ROUNDS):
        run.initialize()
        taken.append(device.elapsed(lambda: (run.advance(steps), None)[1]) / steps)
    return min(taken[1:])


def key_of(model: Model, device: Device, single: bool) -> str:
    """Changes with what a choice of ours may depend on."""
    properties = device.properties
    text, _ = emit(structure_of(model, single))
    cells = (model.n_instance * 4).bit_length()  # of one kind while it does not double
    seed = hashlib.sha256(text.encode())
    seed.update(model.tree.parent.tobytes())
    seed.update(repr(nodes_of(model)[1] // 256).encode())
    parts = (properties.name, properties.shared_memory, properties.n_multiprocessor, cells, WARP)
    seed.update(repr(parts).encode())
    return seed.hexdigest()[:24]


def _tree_key(model: Model, device: Device) -> str:
    seed = hashlib.sha256(model.tree.parent.tobytes())
    seed.update(device.properties.name.encode())
    return f"tree {seed.hexdigest()[:24]}"


def read(name: str) -> dict[str, list[Any]]:
    """What was measured before; nothing where the file is not there or not ours."""
    try:
        found = json.loads((cache_dir() / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(name: str, known: Mapping[str, Sequence[Any]]) -> bool:
    """Remember; False where that is not possible, and it is measured again next time."""
    path: Path = cache_dir() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".gpu", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file)
        os.replace(aside, path)
    except OSError:
        return False
    return True
