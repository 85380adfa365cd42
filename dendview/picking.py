"""What is asked of the person while a second place is chosen, and what is seen of it (no Qt)."""

from dendview.state import Picking
from dendview.wording import place


def ask(picking: Picking) -> str:
    """``Click the other end of the gap junction from soma[0](0.5).``"""
    here = place(picking.site)
    match picking.purpose:
        case "gap_junction" | "other_end":
            return f"Click the other end of the gap junction from {here}."
        case "synapse":
            return f"Click the place whose spikes drive {picking.mechanism} at {here}."
        case "source":
            return f"Click the place whose spikes drive the synapse at {here}."


def prompt(picking: Picking) -> str:
    """The same in the fewest words, for the picture."""
    gap = picking.purpose in ("gap_junction", "other_end")
    return f"Click {'the other end' if gap else 'where the spikes come from'} · Esc cancels"


def offer(picking: Picking) -> str:
    """What a menu at another place says: ``Gap junction from soma[0](0.5) to here``."""
    here = place(picking.site)
    if picking.purpose in ("gap_junction", "other_end"):
        return f"Gap junction from {here} to here"
    return f"Let spikes here drive the synapse at {here}"
