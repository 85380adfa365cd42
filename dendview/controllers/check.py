"""Checks that the open schedule gives the voltages of serial Hines, in the engine's process."""

from dataclasses import replace

from dendview.controllers.run import RunController
from dendview.schedule_scene import METHOD_TEXTS
from dendview.state import AppState, Check
from dendview.wording import number, plural
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply


class CheckController:
    """Replaces ``check``, which another schedule or experiment empties."""

    def __init__(self, state: AppState, worker: Worker, run: RunController) -> None:
        self.state = state
        self._worker, self._run = worker, run
        self._token: int | None = None
        run.listeners.append(self._take)
        for event in (state.events.schedule, state.events.experiment):
            event.connect(self._forget)

    def start(self) -> None:
        """Solve the experiment's equations both ways."""
        state = self.state
        if state.experiment is None or state.schedule is None or self._token is not None:
            return
        self._run.warm()
        self._token = self._run.next_token()
        state.check = Check("Solving serially and in this order…")
        experiment = replace(
            state.experiment, method=state.method, n_threads=state.n_threads, nodes=state.nodes
        )
        self._worker.send(protocol.CheckOrders(self._token, experiment))

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Checked() if reply.number == self._token:
                self._token = None
                self.state.check = self._judge(reply)
            case protocol.Failed() if reply.number == self._token:
                self._token = None
                self.state.check = Check(reply.sentence, "failed")
            case protocol.Stopped() if self._token is not None:
                self._token = None
                self.state.check = Check(reply.sentence, "failed")

    def _judge(self, checked: protocol.Checked) -> Check:
        state = self.state
        with_k = f"{METHOD_TEXTS[state.method][0]}, {plural(state.n_threads, 'thread')},"
        where = f"at all {number(checked.n_comp)} nodes"
        if checked.difference == 0:
            text = f"{with_k} and serial Hines: max |ΔV| = 0 {where}, bit for bit."
            return Check(text, "same")
        text = f"{with_k} and serial Hines differ by up to {checked.difference:.1e} mV {where}."
        return Check(text, "differs")

    def _forget(self, *_: object) -> None:
        self._token = None  # an answer under way means another schedule
        self.state.check = None
