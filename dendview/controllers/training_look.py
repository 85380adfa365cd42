"""Training lab: which epoch, class, image and neurons of the shown training are looked at."""

from dataclasses import replace

from dendview.state import AppState
from dendview.training import TrainingChoice, find_run


class TrainingLookController:
    """Replaces ``training_choice``."""

    def __init__(self, state: AppState) -> None:
        self.state = state

    def choose_epoch(self, epoch: int | None) -> None:
        """Weights and answers of an epoch, 0 the untrained network; None follows the last."""
        self._choose(replace(self.state.training_choice, epoch=epoch))

    def step_epoch(self, by: int) -> None:
        """The next or the one before of those that are kept."""
        run = find_run(self.state.training_runs, self.state.training_shown)
        if run is None or not run.kept:
            return
        at = self.state.training_choice.epoch
        kept = run.kept
        place = kept.index(at) if at in kept else len(kept) - 1
        self.choose_epoch(kept[min(max(place + by, 0), len(kept) - 1)])

    def choose_cell(self, label: int | None, answer: int | None = None) -> None:
        """A class, and what was answered for it; None for all."""
        choice = self.state.training_choice
        self._choose(replace(choice, label=label, answer=answer, sample=None))

    def choose_sample(self, sample: int | None) -> None:
        """One of the test images."""
        self._choose(replace(self.state.training_choice, sample=sample))

    def choose_neurons(self, neurons: tuple[int, ...]) -> None:
        """Hidden neurons, one at least."""
        if neurons:
            self._choose(replace(self.state.training_choice, neurons=neurons))

    def _choose(self, choice: TrainingChoice) -> None:
        if choice != self.state.training_choice:
            self.state.training_choice = choice
