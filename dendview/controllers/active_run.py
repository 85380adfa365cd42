"""The run that goes on, as the window follows it."""

from dataclasses import dataclass
from typing import Literal

from dendview.worker import protocol
from engine.experiment import Experiment
from engine.recording import RecordingBuilder

RunState = Literal["running", "done", "cancelled", "failed"]


@dataclass
class ActiveRun:
    """The run that goes on."""

    number: int
    token: int  # its number on the pipe, never used twice
    experiment: Experiment  # as the person made it; the engine may get a probe more
    started: protocol.Started | None = None
    builder: RecordingBuilder | None = None
    begin: float = 0.0
    published: float = 0.0
    fresh: bool = False  # something came in since it was published
    cancelled_at: float | None = None
    follow: bool = True  # the shown time goes along
    given: bool = False  # not of the open experiment

    def memory_text(self, failed: protocol.Failed) -> str:
        """Which memory was too small, and what of the run is kept."""
        text = f"{failed.sentence[:1].upper()}{failed.sentence[1:].rstrip('.')}."
        if self.builder is None or not self.builder.fraction:
            return text
        end = self.builder.fraction * self.experiment.duration
        return f"{text} The first {end:.1f} ms are kept as partial Run {self.number}."
