"""A run as a generator of chunks: progress is a field of the chunk, cancelling is closing it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter

import numpy as np

from engine.backends import choose_backend, kernels
from engine.backends.base import VOLTAGE_LIMIT, Backend, Samples, join, up_to
from engine.backends.cpu import CpuRun
from engine.errors import UnstableError
from engine.model import Model
from engine.recording import Chunk
from engine.schedule.model import Schedule
from engine.types import BackendName, FloatArray, IntArray

FIRST_STEPS = 16
"""Steps of the first chunk, from which the speed of the machine is told."""
MAX_GROWTH = 8
"""A chunk is at most this many times as long as the one before it."""


def simulate(
    model: Model,
    backend: BackendName | Backend = "auto",
    chunks_per_second: float = 30.0,
    threads: int | None = None,
) -> Iterator[Chunk]:
    """Run a model.

    Parameters
    ----------
    model : Model
    backend
        ``auto`` takes the fastest that can run here; any other name fails with a reason. Or one
        that is already chosen.
    chunks_per_second
        Wanted rate of chunks in wall time; how a run is cut does not change its numbers.
    threads
        Cores to use on the CPU, as many as help by default; they do not change the numbers either.

    Yields
    ------
    Chunk
        Consecutive; the first one holds t = 0.

    Raises
    ------
    BackendError
        If the backend cannot run here.
    UnstableError
        If a voltage left the numbers a membrane can have; what came before it has been yielded.
    """
    chosen = choose_backend(backend) if isinstance(backend, str) else backend
    run = chosen.start(model, threads)
    all_steps = stepped(
        lambda: [run.initialize()], lambda n: [run.advance(n)], model.n_step, chunks_per_second
    )
    for (samples,), start, fraction in all_steps:
        yield chunk_of(samples, start, fraction)
        if samples.bad is not None:
            raise unstable(model, *samples.bad)


def stepped(
    initialize: Callable[[], list[Samples]],
    advance: Callable[[int], list[Samples]],
    n_step: int,
    chunks_per_second: float,
) -> Iterator[tuple[list[Samples], float, float]]:
    """The steps of models that run in step, as many at a time as give the wanted rate.

    Ends where a voltage leaves the possible numbers; the samples of all end before that step then,
    and those of the models in which it happened say so.

    Yields
    ------
    samples
        Of every model; the first hold t = 0.
    start : ms
    fraction
        Of the run that is done.
    """
    samples = initialize()
    done, steps, start = 0, FIRST_STEPS, 0.0
    while done < n_step:
        steps = min(steps, n_step - done)
        begin = perf_counter()
        parts = advance(steps)
        seconds = perf_counter() - begin
        if bad := any(part.bad is not None for part in parts):
            n_time = min(len(part.time) for part in parts)
            parts = [up_to(part, n_time) for part in parts]
        joined = zip(samples, parts, strict=True)
        samples = [join(one, other) for one, other in joined] if done == 0 else parts
        done += len(parts[0].time) if bad else steps
        yield samples, start, done / n_step
        if bad:
            return
        start = float(samples[0].time[-1])
        wanted = steps / max(seconds, 1e-9) / chunks_per_second
        steps = int(max(1, min(wanted, MAX_GROWTH * steps)))


def compare_orders(model: Model, n_time: int = 8) -> float:
    """Solve a model's equations serially and in the order of its schedule, and compare.

    Parameters
    ----------
    model : Model
        Of one instance.
    n_time
        At so many times of its run, each twice as late as the one before.

    Returns
    -------
    float
        Largest difference of the change of voltage at any node and time, in mV. 0 says that the two
        agree bit for bit.
    """
    run = CpuRun(replace(model, n_instance=1))
    run.initialize()
    largest, done = 0.0, 0
    for k in range(n_time):
        a, v, d, r = run.system()
        serial = solve_in_order(a, v, d, r, model.tree.parent)
        scheduled = solve_by_schedule(a, v, d, r, model.schedule)
        largest = max(largest, float(np.abs(serial - scheduled).max()))
        steps = min(2**k, model.n_step - done)
        if steps == 0 or run.advance(steps).bad is not None:
            break
        done += steps
    return largest


def solve_in_order(
    a: FloatArray, v: FloatArray, d: FloatArray, r: FloatArray, parent: IntArray
) -> FloatArray:
    """Serial Hines; arguments as :func:`engine.backends.kernels.solve`, which are left alone."""
    x = r.copy()
    kernels.solve_serial(parent, a, v, d.copy(), x, np.empty_like(a))
    return x


def solve_by_schedule(
    a: FloatArray, v: FloatArray, d: FloatArray, r: FloatArray, schedule: Schedule
) -> FloatArray:
    """The same in the order of a schedule, children gathered by their parents."""
    parent, n = schedule.parent, schedule.n_comp
    index = np.arange(n, dtype=np.int32)
    child = np.lexsort((-index, parent))[np.count_nonzero(parent < 0) :].astype(np.int32)
    start = np.searchsorted(parent[child], np.arange(n + 1)).astype(np.int32)
    root = index[parent < 0]
    x, d, (f, share, flow) = r.copy(), d.copy(), np.zeros((3, n))
    order = schedule.node, schedule.step_start, root, parent, start, child
    kernels.solve_scheduled(*order, a, v, d, x, f, share, flow)
    return x


def chunk_of(samples: Samples, start: float, fraction: float) -> Chunk:
    """Samples as a piece of a run."""
    return Chunk(
        start=start,
        stop=float(samples.time[-1]) if len(samples.time) else start,
        time=samples.time,
        traces=samples.traces,
        frame_time=samples.frame_time,
        frames=samples.frames,
        spikes=samples.spikes,
        fraction=fraction,
    )


def unstable(
    model: Model, node: int, instance: int, time: float, whose: str | None = None
) -> UnstableError:
    """The error for a voltage that left the possible numbers; ``whose``: which cell it is."""
    tree, dt = model.tree, model.experiment.dt
    where = f"{tree.sections.name[tree.section[node]]}({tree.x[node]:.3g})"
    if whose is None:
        whose = f" of instance {instance}" if model.n_instance > 1 else ""
    return UnstableError(
        f"the voltage at {where}{whose} left ±{VOLTAGE_LIMIT:g} mV at {time:.6g} ms with a time "
        f"step of {dt:g} ms; halve dt to {dt / 2:g} ms, or look for a current or conductance that "
        "is too large"
    )
