"""Undo and redo as a value: the states before and after one that is never changed in place."""

from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class History(Generic[T]):
    """What is, what was and what was undone; every method gives a new history.

    Attributes
    ----------
    present
    past, future : tuple
        Oldest first; ``future[-1]`` is what a redo brings back.
    limit : int
        States of the past that are kept.
    """

    present: T
    past: tuple[T, ...] = ()
    future: tuple[T, ...] = ()
    limit: int = 200

    @property
    def can_undo(self) -> bool:
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        return bool(self.future)

    def add(self, state: T) -> "History[T]":
        """Go to a new state; the same state again is no step; a new one forgets what was undone."""
        if state == self.present:
            return self
        past = (*self.past, self.present)[-self.limit :]
        return replace(self, present=state, past=past, future=())

    def undo(self) -> "History[T]":
        """Back to the state before; nothing happens at the beginning."""
        if not self.past:
            return self
        *past, present = self.past
        future = (*self.future, self.present)
        return replace(self, present=present, past=tuple(past), future=future)

    def redo(self) -> "History[T]":
        """Forward to the state that was undone; nothing happens at the end."""
        if not self.future:
            return self
        *future, present = self.future
        past = (*self.past, self.present)
        return replace(self, present=present, past=past, future=tuple(future))


class Undoable(Protocol):
    """A controller whose edits can be taken back."""

    @property
    def can_undo(self) -> bool: ...

    @property
    def can_redo(self) -> bool: ...

    def undo(self) -> object: ...

    def redo(self) -> object: ...
