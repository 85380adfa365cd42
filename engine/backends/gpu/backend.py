"""The GPU backend, and the one that takes the GPU where that is the better choice."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from engine.backends.base import Backend, PopulationRun, Run
from engine.backends.cpu import CpuBackend
from engine.backends.gpu.choosing import Choice, choose
from engine.backends.gpu.device import Device
from engine.backends.gpu.pacing import choose_shape, nodes_of
from engine.backends.gpu.population import choose_shapes, stand_in
from engine.backends.gpu.run import GpuPopulation, GpuRun
from engine.backends.gpu.several import DeviceMaker, SeveralPopulation, SeveralRun
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError
from engine.instances import select
from engine.model import Model
from engine.precision import IN_SINGLE

T = TypeVar("T")


class GpuBackend:
    """CUDA on one device, or on several where there are cells enough for them.

    Parameters
    ----------
    device
        The first NVIDIA device by default, and all others beside it.
    shape
        Threads of a cell; found by a short measurement where it is not given.
    devices
        What opens each device in a process of its own; with ``device`` only.
    single
        Currents and states in single precision.

    Raises
    ------
    BackendError
        If there is no device that can be used; says why.
    """

    name = "gpu"
    _solved: str = ""
    """How the last run solves its trees."""

    def __init__(
        self,
        device: Device | None = None,
        shape: Shape | None = None,
        devices: Sequence[DeviceMaker] = (),
        single: bool = False,
    ) -> None:
        if device is None:
            from engine.backends.gpu.cupy_device import count_devices, cupy_device

            device = cupy_device()
            devices = [partial(cupy_device, index) for index in range(count_devices())]
        self.device, self._shape, self._devices = device, shape, tuple(devices)
        self.single = single

    def describe(self) -> str:
        several = f" and {len(self._devices) - 1} more" if len(self._devices) > 1 else ""
        short = f", {IN_SINGLE}" if self.single else ""
        return f"GPU: {self.device.properties.name}{several}{short}{self._solved}"

    def start(self, model: Model, threads: int | None = None) -> Run:
        """A run of the model; ``threads`` are those of the CPU and have no meaning here.

        Raises
        ------
        BackendError
            If it does not fit the device's memory, or its kernel does not compile.
        """
        model = self._ready(model)
        used = max(1, self._used(model.n_instance))
        part = model if used == 1 else select(model, 0, model.n_instance // used)
        shape = self._shape or choose_shape(part, self.device, self.single)
        self._solved = f", solved by {shape.name}"
        if used > 1:  # one shape for all: it decides about the last digits
            return SeveralRun(model, self._devices[:used], shape, self.single)
        return GpuRun(model, self.device, shape, self.single)

    def start_population(
        self, models: Sequence[Model], threads: int | None = None
    ) -> PopulationRun:
        """Models of different trees in one run; raises as :meth:`start`."""
        models = [self._ready(model) for model in models]
        shapes = [self._shape] * len(models) if self._shape else None
        used = self._used(sum(model.n_instance for model in models))
        shapes = shapes or choose_shapes(models, self.device, self.single, used)
        self._solved = f", solved by {' and '.join(dict.fromkeys(s.name for s in shapes))}"
        if used > 1:
            return SeveralPopulation(models, self._devices[:used], shapes, self.single)
        return GpuPopulation(models, self.device, shapes, self.single)

    def choice(
        self, model: Model, threads: int | None = None, models: Sequence[Model] = ()
    ) -> Choice:
        """Whether the GPU or the CPU is faster with this model, see :func:`choose`; it may stand
        for several."""
        used = self._used(sum(one.n_instance for one in models or (model,)))
        total = sum(nodes_of(one)[1] * one.n_instance for one in models) if models else None
        return choose(model, self.device, self._shape, self.single, used, threads, total)

    def _used(self, n_cell: int) -> int:
        """Devices that there are cells enough for."""
        most = n_cell // self.device.properties.n_multiprocessor
        return max(1, min(len(self._devices), most))

    def _ready(self, model: Model) -> Model:
        from engine.backends.rest import rested

        return rested(model)


class AutoBackend:
    """The GPU where it is faster, the CPU elsewhere and wherever the GPU cannot do it.

    Attributes
    ----------
    reason : str
        Why the last run was made where it was.
    """

    name = "auto"

    def __init__(self, gpu: GpuBackend) -> None:
        self._gpu, self._last = gpu, gpu.describe()
        self.reason = ""

    def describe(self) -> str:
        return self._last

    def start(self, model: Model, threads: int | None = None) -> Run:
        """A run on what is faster with it; only ``auto`` falls back."""
        return self._suited([model], threads, lambda backend: backend.start(model, threads))

    def start_population(
        self, models: Sequence[Model], threads: int | None = None
    ) -> PopulationRun:
        """The same for models of different trees, by about as many cells of the largest."""
        return self._suited(
            models, threads, lambda backend: backend.start_population(models, threads)
        )

    def _suited(
        self, models: Sequence[Model], threads: int | None, start: Callable[[Backend], T]
    ) -> T:
        try:
            several = models if len(models) > 1 else ()
            choice = self._gpu.choice(stand_in(models), threads, several)
            self.reason = choice.reason
            if choice.device:
                run = start(self._gpu)
                self._last = self._gpu.describe()
                return run
        except BackendError as error:
            self.reason = str(error)
        cpu: Backend = CpuBackend()
        self._last = cpu.describe()
        return start(cpu)
