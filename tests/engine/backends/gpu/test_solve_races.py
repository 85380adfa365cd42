"""No two threads of a solve touch a number without a barrier between them: the thread sanitizer."""

import pytest

from tests.engine.backends.gpu.test_shim import sanitized

SCRIPT = """
from engine.backends.gpu.variants import SolveVariant, prepare
from tests.engine.backends.gpu.solve_systems import random_tree, spiny_tree, system_on
from tests.engine.shim_device import ShimDevice
import engine.backends.gpu.variants.sources as sources
import engine.backends.gpu.variants.gathering as gathering
if BROKEN:
    gathering.cuda_source = lambda name: sources.cuda_source(name).replace(
        BROKEN, BROKEN.replace("wait();", "")
    )
device = ShimDevice("threads", options=("-fsanitize=thread", "-g"))
systems = [system_on(random_tree(SIZE, SIZE // 4), 1), system_on(spiny_tree(12), 2)]
plan = prepare(systems, SolveVariant("x", "METHOD", THREADS, gather=GATHER, twigs=TWIGS), device)
plan.solve()
print("finished")
"""


def races(method, threads, gather=True, twigs=False, broken="", size=48):
    text = SCRIPT.replace("METHOD", method).replace("THREADS", str(threads))
    text = text.replace("GATHER", str(gather)).replace("TWIGS", str(twigs))
    text = text.replace("SIZE", str(size))
    return "data race" in sanitized(text.replace("BROKEN", repr(broken)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "threads", "gather", "twigs"),
    [
        ("dhs", 16, True, False),
        ("dhs", 64, True, True),
        ("contract", 16, True, False),
        ("contract", 64, True, True),
        ("dhs", 16, False, False),
    ],
)
def test_no_races(method, threads, gather, twigs):
    assert not races(method, threads, gather, twigs)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["dhs", "contract"])
def test_missing_barriers_are_seen(method):
    # a thread that wakes up only when others have done their work sees no race: work for long
    assert any(races(method, 16, broken="wait();", size=5_000) for _ in range(3))
