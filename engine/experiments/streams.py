"""Many generators of one family at once: the keys of numpy's ``SeedSequence``, in vectors.

``numpy.random.Philox(SeedSequence(seed, spawn_key=(*prefix, n)))`` for n = 0, 1, … takes a hash of
all its numbers for every n; only the last of them differs. The hash is that of numpy's
``SeedSequence`` (M. E. O'Neill's ``seed_seq_fe``), which numpy promises not to change.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

POOL = 4
INIT_A, MULT_A, INIT_B, MULT_B = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
MIX_LEFT, MIX_RIGHT = 0xCA01F9DD, 0x4973F715
SHIFT, WORD = np.uint32(16), 2**32

Words = NDArray[np.uint32]


def generators(seed: int, prefix: Sequence[int], count: int) -> Iterator[np.random.Generator]:
    """The generators of ``spawn_key=(*prefix, n)`` for n = 0 … count - 1.

    Each is to be used before the next one is asked for: they share one object.

    Parameters
    ----------
    seed
        0 to 2**64 - 1.
    prefix
        Numbers below 2**32.
    count
    """
    bits = np.random.Philox()
    draw = np.random.Generator(bits)
    state = bits.state
    state |= {"buffer_pos": 4, "has_uint32": 0, "uinteger": 0}
    for key in keys(seed, prefix, count):
        state["state"] = {"counter": np.zeros(4, np.uint64), "key": key}
        bits.state = state
        yield draw


def keys(seed: int, prefix: Sequence[int], count: int) -> NDArray[np.uint64]:
    """(count, 2): the keys that ``Philox`` takes from these sequences."""
    before = np.random.SeedSequence(seed, spawn_key=tuple(prefix))
    n_mixed = POOL * POOL + POOL * len(prefix)  # hashes so far, each with a constant of its own
    constant = INIT_A * pow(MULT_A, n_mixed, WORD) % WORD
    number = np.arange(count, dtype=np.uint32)
    pool = []
    for word in before.pool:
        hashed, constant = _hashed(number, constant, MULT_A)
        pool.append(_mixed(np.full(count, word, np.uint32), hashed))
    constant, words = INIT_B, []
    for word in pool:
        hashed, constant = _hashed(word, constant, MULT_B)
        words.append(hashed.astype(np.uint64))
    low, high = np.stack(words[0::2], axis=1), np.stack(words[1::2], axis=1)
    return low | high << np.uint64(32)


def _hashed(value: Words, constant: int, multiplier: int) -> tuple[Words, int]:
    """The hash, and the constant of the next one."""
    following = constant * multiplier % WORD
    value = (value ^ np.uint32(constant)) * np.uint32(following)
    return value ^ (value >> SHIFT), following


def _mixed(left: Words, right: Words) -> Words:
    mixed = np.uint32(MIX_LEFT) * left - np.uint32(MIX_RIGHT) * right
    return mixed ^ (mixed >> SHIFT)
