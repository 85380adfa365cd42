"""Which engine runs, why no other, and the test of all of them."""

from dendview.controllers.run import RunController
from dendview.runs import engine_kind
from dendview.state import AppState, Message
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply
from engine.precision import IN_SINGLE, parts, with_precision
from engine.types import BackendName, Precision

CHOICES: dict[BackendName, tuple[str, str]] = {
    "auto": ("Automatic", "The fastest engine that can run here."),
    "cpu": ("CPU", "The cores of the processor."),
    "gpu": ("GPU", "An NVIDIA device; a run fails with a reason where there is none."),
}
"""Name and one line on each choice."""
SAME = "Both engines solve the same equations in double precision; only the time differs."
SINGLE = (
    "On the GPU, currents and states of the membrane are computed in single precision: "
    "some 7 digits instead of 16. Voltages are solved for in double precision."
)
"""What is said in its place where it is not true."""


class EngineController:
    """Replaces ``backend``, ``engine``, ``no_gpu`` and ``engine_trial``."""

    def __init__(self, state: AppState, worker: Worker, run: RunController) -> None:
        self.state = state
        self._worker, self._run = worker, run
        self._names: dict[BackendName, str] = {}  # what the engines call themselves
        self._precision: Precision = parts(state.backend)[1]
        self._token: int | None = None  # of the test that goes on
        run.listeners.append(self._take)
        state.events.backend.connect(self._remember)

    @property
    def testing(self) -> bool:
        return self._token is not None

    def choose(self, name: str) -> None:
        """Another engine for the next run; a GPU that is not there is refused with the reason."""
        if name not in CHOICES:
            known = ", ".join(CHOICES)
            self.state.message = Message(f"there is no engine '{name}'; choose {known}", "error")
        elif name == "gpu" and self.state.no_gpu:
            self.state.message = Message(sentence(self.state.no_gpu), "warning")
        else:
            precision = self._precision if name != "cpu" else "double"
            self.state.backend, self.state.engine_note = with_precision(name, precision), ""
            self._name()

    def turn_precision(self) -> None:
        """Between double and single precision of the GPU's membrane, from the next run on."""
        self._precision = "double" if self._precision == "single" else "single"
        self.choose(parts(self.state.backend)[0])

    def test(self) -> None:
        """Look for a GPU anew and let all engines run the same model."""
        if self._token is not None:
            return
        self._run.warm()
        self._token = self._run.next_token()
        self.state.engine_trial = ("Testing…",)
        self._worker.send(protocol.TryEngine(self._token))

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Ready(engine=engine, cpu=cpu, gpu=gpu, note=note):
                self._names = {"auto": engine, "cpu": cpu, "gpu": gpu}
                self.state.engine_note = note
                self._name()
            case protocol.Tried() if reply.number == self._token:
                self._token = None
                self._names |= {"auto": reply.engine, "gpu": reply.gpu}
                self.state.no_gpu, self.state.engine_trial = reply.no_gpu, reply.lines
                self._name()
            case protocol.Failed() if reply.number == self._token:
                self._token = None
                self.state.engine_trial = (f"✗ {reply.sentence}",)
            case (
                protocol.Finished(number=number)
                | protocol.Cancelled(number=number)
                | protocol.Failed(number=number)
            ) if number == self._run.last[0] and self._run.last[1] != self.state.backend:
                self._name()  # that run was on another engine, this once
            case protocol.Stopped() if self._token is not None:
                self._token = None
                self.state.engine_trial = (f"✗ {reply.sentence}",)

    def _remember(self, name: BackendName) -> None:
        """A precision is kept while the CPU, which has one only, is chosen."""
        base, precision = parts(name)
        if base != "cpu":
            self._precision = precision

    def _name(self) -> None:
        """What the next run will use."""
        base, precision = parts(self.state.backend)
        if name := self._names.get(base):
            single = precision == "single" and engine_kind(name) == "GPU"
            self.state.engine = f"{name}, {IN_SINGLE}" if single else name


def sentence(reason: str) -> str:
    """A reason as a sentence of its own."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else ""


def chip_text(state: AppState) -> str:
    """``● CPU · 2 threads (no GPU)``: what runs, and whether it was the person's wish."""
    works = bool(state.engine) and not state.engine.startswith("Engine")
    text = f"{'●' if works else '○'}  {state.engine or 'Engine not started'}"
    if works and parts(state.backend)[0] == "auto" and state.no_gpu:
        text += " · no GPU"
    return text
