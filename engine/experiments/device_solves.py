"""The solves of a GPU, to be measured beside those of the processor."""

from engine.backends import choose_backend
from engine.errors import BackendError
from engine.experiments.run_time import DeviceSolves


def find_device() -> DeviceSolves | str:
    """What measures the solves of this machine's GPU, or the reason why there is none."""
    try:
        choose_backend("gpu")
    except BackendError as error:
        return str(error)
    return "the solves of a GPU cannot be measured one by one in this version"
