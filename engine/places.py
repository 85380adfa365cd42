"""Where sites are: on the nodes of a tree, or on those of spines."""

from collections.abc import Sequence

import numpy as np

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.spines import PARTS, place_on_spine
from engine.stimuli import Site
from engine.twigs import N_PART, Twigs
from engine.types import IntArray
from engine.validation import locate, locate_all

_PART = {part: k for k, part in enumerate(PARTS)}


class Places:
    """Where sites are: on nodes of the tree, or of the twigs of an instance.

    Parameters
    ----------
    tree : CompartmentTree
    twigs : Twigs or None
    """

    def __init__(self, tree: CompartmentTree, twigs: Twigs | None) -> None:
        self.tree, self.twigs = tree, twigs

    def node(self, site: Site, what: str, instance: int = 0) -> int:
        """Number of a node, see :class:`Twigs`.

        Raises
        ------
        UserError
            If there is no such place.
        """
        found = place_on_spine(site)
        if found is None:
            return locate(self.tree, site, what)
        number, part = found
        instance = 0 if self.twigs is None or self.twigs.instance is None else instance
        if self.twigs is None or (instance, number) not in self.twigs.entry:
            raise UserError(f"{what} at {site}: there is no such spine in instance {instance}")
        twig = self.twigs.entry[instance, number]
        return self.twigs.n_comp + N_PART * twig + PARTS.index(part)

    def nodes(self, sites: Sequence[Site], what: str, instances: Sequence[int]) -> IntArray:
        """(n,) numbers of many nodes; see :meth:`node`."""
        found = [place_on_spine(site) for site in sites]
        node = np.empty(len(sites), np.int32)
        on_tree = np.array([place is None for place in found], bool)
        node[on_tree] = locate_all(
            self.tree,
            [site for site, place in zip(sites, found, strict=True) if place is None],
            what,
        )
        if on_tree.all():
            return node
        entry = {} if self.twigs is None else self.twigs.entry
        shared = self.twigs is None or self.twigs.instance is None
        for k in np.flatnonzero(~on_tree).tolist():
            place, instance = found[k], 0 if shared else instances[k]
            twig = entry.get((instance, place[0])) if place else None
            if place is None or twig is None or self.twigs is None:
                node[k] = self.node(sites[k], what, instances[k])  # which says what is wrong
            else:
                node[k] = self.twigs.n_comp + N_PART * twig + _PART[place[1]]
        return node

    def host(self, node: int) -> int:
        """The node itself, for a twig's the node of the tree that it hangs on."""
        if self.twigs is None or node < self.twigs.n_comp:
            return node
        return int(self.twigs.parent[(node - self.twigs.n_comp) // N_PART])
