"""Short unbranched ends of a tree, such as necks and heads of spines, set apart from the rest."""

from dataclasses import dataclass

import numpy as np

from engine.types import IntArray

LONGEST = 4
"""Nodes of a twig: neck and head are two, four with NEURON's massless ends."""
ENOUGH = 0.5
"""Share of a tree's ends that must be equally short before they are taken for twigs."""


@dataclass(frozen=True, eq=False)
class Twigs:
    """Runs of ``length`` nodes that end a tree, by host.

    Attributes
    ----------
    length : int
        Nodes of every twig; 0 where there are none.
    host : (n_host,) int32
        Nodes that twigs hang on, those with most twigs first.
    count : (n_host,) int32
        Twigs of each.
    node : (n_twig, length) int32
        From the host outwards; all first twigs of the hosts, all second ones, ...
    """

    length: int
    host: IntArray
    count: IntArray
    node: IntArray

    @property
    def rank_width(self) -> IntArray:
        """(n_rank,) hosts that have a first, a second, ... twig."""
        n_rank = int(self.count[0]) if len(self.count) else 0
        return (self.count[:, None] > np.arange(n_rank)).sum(axis=0).astype(np.int32)


def twig_length(parent: IntArray) -> int:
    """The length in nodes that most ends of a tree have, 0 if they differ or are long."""
    length = _end_length(parent)
    if not length.size:
        return 0
    count = np.bincount(length, minlength=LONGEST + 1)[: LONGEST + 1]
    best = int(np.argmax(count))
    return best if count[best] >= ENOUGH * length.size else 0


def find_twigs(parent: IntArray, length: int) -> Twigs:
    """The last ``length`` nodes of every end that has as many.

    Left out are those whose host has a child of a higher index that is no twig: a parent gathers
    by descending index, so twigs, which come first, must be the highest.
    """
    n = len(parent)
    n_child = np.bincount(parent[parent >= 0], minlength=n)
    tip = np.flatnonzero((n_child == 0) & (parent >= 0))
    node = np.full((len(tip), max(length, 1)), -1, np.int32)
    top, fine = tip.copy(), np.full(len(tip), length > 0)
    for m in range(length):
        node[:, length - 1 - m] = top
        up = parent[top]
        fine &= up >= 0
        top = np.where(fine, up, top)
        if m < length - 1:
            fine &= (n_child[top] == 1) & (parent[top] >= 0)
    node, host = node[fine], top[fine]
    is_twig = np.zeros(n, bool)
    is_twig[node[:, 0]] = True
    other = np.full(n, -1)
    rest = np.flatnonzero((parent >= 0) & ~is_twig)
    np.maximum.at(other, parent[rest], rest)
    keep = node[:, 0] > other[host]
    node, host = node[keep], host[keep]
    if not host.size:
        none = np.zeros(0, np.int32)
        return Twigs(0, none, none, np.zeros((0, 0), np.int32))
    count = np.bincount(host, minlength=n)
    hosts = np.flatnonzero(count)
    hosts = hosts[np.argsort(-count[hosts], kind="stable")]
    place = np.zeros(n, np.int64)
    place[hosts] = np.arange(hosts.size)
    by_host = np.lexsort((-node[:, 0], place[host]))
    start = np.cumsum(count[hosts]) - count[hosts]
    rank = np.arange(by_host.size) - np.repeat(start, count[hosts])
    order = by_host[np.lexsort((place[host[by_host]], rank))]
    return Twigs(length, hosts.astype(np.int32), count[hosts].astype(np.int32), node[order])


def _end_length(parent: IntArray) -> IntArray:
    """(n_tip,) nodes of every end, up to ``LONGEST + 1``: a tip and what leads to it unbranched."""
    n_child = np.bincount(parent[parent >= 0], minlength=len(parent))
    at = np.flatnonzero((n_child == 0) & (parent >= 0))
    length = np.ones(len(at), np.int32)
    going = np.ones(len(at), bool)
    for _ in range(LONGEST):
        up = parent[at]
        going &= (up >= 0) & (n_child[up] == 1) & (parent[up] >= 0)
        at = np.where(going, up, at)
        length += going
    return length
