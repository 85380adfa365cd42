"""What the controllers ask of the engine's process."""

from typing import Protocol

from dendview.worker.protocol import Command, Reply


class Worker(Protocol):
    """What is asked of the engine's process, such as :class:`EngineProcess`."""

    @property
    def alive(self) -> bool: ...

    def start(self) -> None: ...

    def send(self, command: Command) -> bool: ...

    def poll(self) -> list[Reply]: ...

    def restart(self) -> None: ...

    def close(self) -> None: ...
