"""What the planned spines do to the cell and to an EPSP, computed when somebody looks at it."""

from dataclasses import replace
from typing import Literal

from dendview.controllers.run import RunController
from dendview.lab import LabEffect
from dendview.state import AppState, Job
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply
from engine.experiments.spike_study import SpikeStudy, is_full

SpineModel = Literal["few", "full"]


class SpineEffectController:
    """Replaces the field ``lab_effect`` of the state.

    Parameters
    ----------
    state, worker
    run
        Gives numbers on the pipe and hands on what the engine says.

    Notes
    -----
    One model is computed at a time, and only while nothing else is: the others wait until the
    engine is free. Make this controller before those whose jobs it waits for, so that it hears of
    an engine's end before their job is gone.
    """

    def __init__(self, state: AppState, worker: Worker, run: RunController) -> None:
        self.state = state
        self._worker, self._run = worker, run
        self._token: int | None = None  # of the model at work
        self._at_work: tuple[SpikeStudy, SpineModel] | None = None
        self._waiting: tuple[SpikeStudy, tuple[SpineModel, ...]] | None = None
        run.listeners.append(self._take)
        run.restarting.append(self._forget)
        state.events.job.connect(self._on_job)

    def measure(self) -> None:
        """Compute what the planned spines do, in the models that are not known yet."""
        state = self.state
        if (study := state.lab_study) is None:
            return
        models: tuple[SpineModel, ...] = tuple(
            dict.fromkeys("full" if is_full(c) else "few" for c in study.conditions)
        )
        known = state.lab_effect
        if known is not None and known.study.spines == study.spines and not known.error:
            models = tuple(m for m in models if m not in dict(known.effects))
            if known.pending:
                self._ask()
                return
            if not models:
                return
            state.lab_effect = replace(known, pending=True)
        else:
            state.lab_effect = LabEffect(study, pending=True)
        self._waiting = study, models
        self._ask()

    def _ask(self) -> None:
        if self.state.lab_effect is None:  # the cell is another one
            self._waiting = None
        free = self._token is None and self.state.job is None
        if not free or self._waiting is None:
            return
        study, models = self._waiting
        self._waiting = (study, models[1:]) if len(models) > 1 else None
        self._run.warm()
        self._token, self._at_work = self._run.next_token(), (study, models[0])
        asked = protocol.TrySpines(self._token, study, models[0], self.state.backend)
        self._worker.send(asked)

    def _on_job(self, job: Job | None) -> None:
        if job is None:
            self._ask()

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Stopped():
                self._forget()
            case protocol.TriedSpines(number=number) if number == self._token:
                self._took(reply)
            case protocol.Failed(number=number) if number == self._token:
                self._token = None
                if (known := self.state.lab_effect) is not None:
                    self.state.lab_effect = replace(known, pending=False, error=reply.sentence)

    def _took(self, reply: protocol.TriedSpines) -> None:
        assert self._at_work is not None
        (study, model), self._token = self._at_work, None
        known = self.state.lab_effect
        if known is not None and known.study.spines == study.spines:
            effects, more = (*known.effects, (model, reply.effect)), self._waiting is not None
            self.state.lab_effect = replace(known, effects=effects, pending=more, error="")
        self._ask()

    def _forget(self) -> None:
        """What was asked of an engine that has ended is asked anew when somebody looks."""
        self._token = self._waiting = None
        if self.state.lab_effect is not None and self.state.lab_effect.pending:
            self.state.lab_effect = None
