"""Named arrays side by side in one block of memory, and lists that differ from instance to
instance."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.types import IntArray

ALIGNED = 16
"""Elements that every array starts at a multiple of, so that a warp's loads are whole lines."""


class Arena:
    """Rows of memory, one for all instances or one for each; every array has one place in each row.

    Parameters
    ----------
    dtype
    n_row
    """

    def __init__(self, dtype: DTypeLike, n_row: int = 1) -> None:
        self.dtype = np.dtype(dtype)
        self.n_row = n_row
        self.width = 0
        self.start: dict[str, int] = {}
        self._values: dict[str, NDArray[Any]] = {}

    def add(self, name: str, values: Any) -> None:
        """Values (size,) for every row or (n_row, size), or a number of zeros."""
        assert name not in self.start, name
        array = np.zeros(values, self.dtype) if isinstance(values, int) else np.asarray(values)
        self.start[name] = self.width
        self._values[name] = array
        size = array.shape[-1]
        self.width += (size + ALIGNED - 1) // ALIGNED * ALIGNED

    @property
    def nbytes(self) -> int:
        return max(1, self.n_row * self.width) * self.dtype.itemsize

    def array(self) -> NDArray[Any]:
        """(n_row, width), at least one element."""
        out = np.zeros((self.n_row, max(1, self.width)), self.dtype)
        for name, values in self._values.items():
            start = self.start[name]
            out[:, start : start + values.shape[-1]] = values
        return out


@dataclass(frozen=True, eq=False)
class Listing:
    """Entries by instance, padded to the longest list.

    Attributes
    ----------
    order : (n,) int64
        Which entry each listed one is; those of one instance together.
    row, column : (n,) int64
        Where each listed one stands. One row where all instances have the same.
    count : (n_row,) int32
    width : int
        The longest list.
    """

    order: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    count: IntArray
    width: int

    def table(self, values: Any, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """(n_row, width) of values by entry; 0 where there is none."""
        out = np.zeros((len(self.count), self.width), dtype)
        out[self.row, self.column] = np.asarray(values)[self.order]
        return out

    def columns(self, n_entry: int) -> NDArray[np.int64]:
        """(n_entry,): the column of each entry, one in all rows where it is in."""
        out = np.zeros(n_entry, np.int64)
        out[self.order] = self.column
        return out

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(n_row,): where a row's entries begin in ``order``."""
        return np.concatenate([[0], np.cumsum(self.count)[:-1]]).astype(np.int64)


def listing(instance: IntArray | None, n_row: int, n: int, keys: Iterable[Any] = ()) -> Listing:
    """Entries sorted by instance, then by keys (the most important first), then as they stand.

    Parameters
    ----------
    instance : (n,) int32 or None
        None: in all of them.
    n_row
        Instances, or 1 where none differs from another.
    n
    keys : (n,) each
    """
    entry = np.arange(n)
    if instance is None:
        of = np.repeat(np.arange(n_row), n)
        entry = np.tile(entry, n_row)
    else:
        of = np.asarray(instance, np.int64)
        assert n_row > 1 or not of.any()
    sorting = [entry, *(np.asarray(key)[entry] for key in reversed(list(keys))), of]
    at = np.lexsort(sorting)
    order, row = entry[at], of[at]
    count = np.bincount(row, minlength=n_row)
    column = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    width = int(count.max()) if n_row else 0
    return Listing(order, row, column, count.astype(np.int32), width)
