"""The real engine as the process serves it; importing it is left until the pipe listens."""

from dendview.worker.serving import Engine


def load_engine() -> Engine:
    """Import the engine (numba takes its time)."""
    raise NotImplementedError
