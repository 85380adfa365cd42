"""A robustness study as a generator: surrogate, attack, then every network on every image.

What is finished lies in the folder, each piece with the key of what it was made from; whatever
ended a study, the next one of the same settings goes on from there.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from engine.atomic import written_aside
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import Learning
from engine.experiments.hpc_net.training import ask
from engine.experiments.hpc_net.ways import Way
from engine.experiments.robustness import deep_nets
from engine.experiments.robustness.images import (
    disturbed,
    encoded_levels,
    finer,
    finer_network,
    passed_levels,
    random_directions,
    threshold,
    whole_steps,
    without_dendrites,
)
from engine.experiments.robustness.networks import ann_answers, ann_key, surrogate_key
from engine.experiments.robustness.pieces import Arrays, key_of, load_piece, save_piece
from engine.experiments.robustness.progress import Clock, Progress
from engine.experiments.robustness.study import (
    SUBJECTS,
    Curve,
    Disturbance,
    Point,
    Result,
    Study,
    Subject,
    to_json,
)
from engine.types import FloatArray, IntArray

Answering = Callable[[np.ndarray], IntArray]
"""From images (n, n_in) to (n,) classes."""
RESULT, SURROGATE, ATTACK = "robustness.json", "surrogate.npz", "attack.npz"
SAVE_EVERY = 30.0
"""Seconds between two copies of a network that learns."""
TELL_EVERY = 0.2
"""Seconds between two reports of a network whose batches take less."""
PART, SIMULATED_PART = 250, 16
"""Images asked at once."""
RESNET_COST = 40_000.0
"""Multiplications of the surrogate for a pixel."""
HPC_COST = 15_000.0
"""And, in its time, what the shortcut of the dendritic network takes."""


def examine(
    study: Study,
    network: Network,
    weights: Weights,
    learning: Learning,
    data: Dataset,
    folder: Path,
    *,
    simulate: bool = False,
    threads: int | None = None,
    epoch: int | None = None,
) -> Generator[Progress, None, None]:
    """Make, or go on with, a study.

    Parameters
    ----------
    study
    network, weights, learning
        The trained network of dendritic neurons.
    data
    folder
        Of the pieces; must exist.
    simulate
        Run every hidden neuron in place of the exact shortcut: for networks that have none.
    threads
        Cores, all by default.
    epoch
        Of the training, the weights are of: told with the result.

    Yields
    ------
    Progress
        Several a second where the machine is fast enough; the last one has the complete result.

    Raises
    ------
    UserError
        If the settings are impossible, or PyTorch or Foolbox is missing and a piece needs them.
    """
    study.check()
    yield from _Examination(
        study, network, weights, learning, data, folder, simulate, threads, epoch
    ).run()


class _Examination:
    """The study at work: what its steps share."""

    def __init__(
        self,
        study: Study,
        network: Network,
        weights: Weights,
        learning: Learning,
        data: Dataset,
        folder: Path,
        simulate: bool,
        threads: int | None,
        epoch: int | None,
    ) -> None:
        self.study, self.weights, self.learning, self.folder = study, weights, learning, folder
        self.data = finer(data)
        self.network = finer_network(network, self.data.levels)
        self._simulate, self._threads = simulate, threads
        n = min(study.n or len(data.test), len(data.test))
        self.images, self.labels = self.data.test[:n], data.test_labels[:n]
        self.states: list[tuple[Disturbance, float]] = [
            ("attack", 0.0),
            *(("attack", epsilon) for epsilon in study.epsilons),
            *(("noise", epsilon) for epsilon in study.epsilons),
        ]
        self.n_class = len(data.classes)
        self._surrogate_key = surrogate_key(study, self.data)
        self._attack_key = key_of("attack", self._surrogate_key, self.images, self.labels)
        self._disturbed_key = key_of(self._attack_key, study.seed, self.states)
        network_key = key_of(network.spec, learning, *weights.parts)
        self.answers: dict[Subject, list[np.ndarray]] = {}
        self._ways: dict[Disturbance, np.ndarray] = {}
        shape = data.n_in, network.spec.n_hidden, self.n_class
        self.result = Result(
            study, data.name, n, len(data.test), shape, threshold(self.network),
            key_of(study, self._disturbed_key, network_key), epoch=epoch,
        )  # fmt: skip
        self._network_key = network_key
        self.clock = Clock(sum(self._work().values()))

    def _work(self) -> dict[str, float]:
        """Multiplications of every step."""
        study, n, n_in = self.study, len(self.images), self.data.n_in
        deep, plain = RESNET_COST * n_in, float(n_in * self.network.spec.n_hidden)
        asked, trained = n * len(self.states), study.ann.batches * study.ann.batch
        return {
            "surrogate": 3 * deep * study.surrogate.batches * study.surrogate.batch,
            "attack": 3 * deep * n,
            "hpc_net": HPC_COST * n_in * asked,
            "moved": HPC_COST * n_in * asked * (not self._simulate),
            "ann": study.repeats * plain * (3 * trained + asked),
            "encoded_ann": study.repeats * plain * (3 * trained + asked),
            "passed_ann": study.repeats * plain * (3 * trained + asked) * (not self._simulate),
            "resnet": deep * n * len(self._rows("resnet")),
        }

    def run(self) -> Iterator[Progress]:
        deep_nets.use_threads(self._threads)
        if not (self.folder / RESULT).exists():
            self._write()  # a folder that takes no files is told before hours of work
        direction = yield from self._directions()
        noise = random_directions(self.images.shape, self.study.seed)
        self._ways = {"attack": direction, "noise": noise}
        yield from self._ask_dendrites("hpc_net", self.network, self.weights)
        if not self._simulate:
            yield from self._ask_dendrites("moved", *without_dendrites(self.network, self.weights))
        yield from self._ask_anns("ann", self.data.levels)
        encoded = encoded_levels(self.network, self.learning)
        yield from self._ask_anns("encoded_ann", encoded)
        if not self._simulate:  # what is not linear has no response to be passed through
            passed = passed_levels(self.network, self.learning)
            yield from self._ask_anns("passed_ann", passed)
        yield from self._ask_surrogate()
        self.result = replace(self.result, complete=True)
        self._write()
        yield Progress("done", 1.0, 0.0, self.result)

    def _directions(self) -> Generator[Progress, None, np.ndarray]:
        """The attack's directions (n, n_in)."""
        work, path = self._work(), self.folder / ATTACK
        if (piece := load_piece(path, self._attack_key)) is not None:
            self.clock.note(work["surrogate"] + work["attack"], found=True)
            return piece["direction"]
        learner = yield from self._trained_surrogate(work["surrogate"])
        parts = []
        for at in range(0, len(self.images), PART):
            some = slice(at, at + PART)
            parts.append(deep_nets.attack_directions(learner, self.images[some], self.labels[some]))
            self.clock.note(work["attack"] * len(parts[-1]) / len(self.images))
            yield self._progress("attack on the surrogate")
        direction = np.concatenate(parts)
        save_piece(path, self._attack_key, {"direction": direction})
        return direction

    def _trained_surrogate(self, work: float) -> Generator[Progress, None, deep_nets.Learner]:
        study, data = self.study, self.data
        learner = deep_nets.surrogate(
            study.surrogate, data.levels, data.shape, self.n_class, study.seed
        )
        yield from self._learn(learner, SURROGATE, self._surrogate_key, "surrogate learns", work)
        return learner

    def _learn(
        self, learner: deep_nets.Learner, name: str, key: str, phase: str, work: float
    ) -> Iterator[Progress]:
        """Teach a network, or take it as it lies in the folder."""
        path = self.folder / name
        if (piece := load_piece(path, key)) is not None:
            learner.restore(piece)
            self.clock.note(work * learner.done / learner.descent.batches, found=True)
        if learner.done == learner.descent.batches:
            return
        saved = told = perf_counter()
        try:
            for loss in deep_nets.learn(learner, self.data.train, self.data.train_labels):
                self.clock.note(work / learner.descent.batches)
                now = perf_counter()
                if now - saved > SAVE_EVERY:
                    save_piece(path, key, learner.arrays())
                    saved = perf_counter()
                if now - told > TELL_EVERY:
                    told = now
                    of = f"{learner.done:,} of {learner.descent.batches:,}"
                    yield self._progress(f"{phase}: batch {of}, loss {loss:.3f}")
        except GeneratorExit:  # stopped between two batches: all is whole
            save_piece(path, key, learner.arrays())
            raise
        save_piece(path, key, learner.arrays())

    def _ask_dendrites(
        self, subject: Subject, network: Network, weights: Weights
    ) -> Iterator[Progress]:
        way: Way | None = None

        def answer(images: np.ndarray) -> IntArray:
            nonlocal way
            if way is None and self._simulate:
                way = Compartmental(network)
            way = way or Shortcut(network, self._threads)
            labels = np.zeros(len(images), np.int32)  # for a loss nobody asks for
            return ask(way, images, labels, weights, self.learning)[0]

        yield from self._ask(subject, 0, answer, self._network_key, self._work()[subject])

    def _ask_anns(self, subject: Subject, table: FloatArray) -> Iterator[Progress]:
        study, data, n_hidden = self.study, self.data, self.network.spec.n_hidden
        work = self._work()[subject] / study.repeats
        plain = float(data.n_in * n_hidden * len(self.images) * len(self.states))
        for number in range(study.repeats):
            seed = study.seed + number
            key = ann_key(study, data, table, n_hidden, seed)
            name = f"{subject}-{number + 1}.npz"
            piece = load_piece(self.folder / name, key)
            if piece is None or int(piece["done"]) < study.ann.batches:
                learner = deep_nets.ann(study.ann, table, data.shape, n_hidden, self.n_class, seed)
                said = f"{SUBJECTS[subject]} {number + 1} of {study.repeats} learns"
                yield from self._learn(learner, name, key, said, work - plain)
                piece = learner.arrays()
            else:
                self.clock.note(work - plain, found=True)
            trained: Arrays = piece

            def answer(images: np.ndarray, trained: Arrays = trained) -> IntArray:
                return ann_answers(trained, table, images)

            yield from self._ask(subject, number, answer, key, plain)

    def _ask_surrogate(self) -> Iterator[Progress]:
        work, path = self._work()["resnet"], self._answers_path("resnet", 0)
        key = key_of("answers", self._disturbed_key, self._surrogate_key)
        learner: deep_nets.Learner | None = None
        if not self._complete(load_piece(path, key)):
            learner = yield from self._trained_surrogate(0.0)

        def answer(images: np.ndarray) -> IntArray:
            assert learner is not None, "asked only where answers are missing"
            return deep_nets.answers(learner, images)

        yield from self._ask("resnet", 0, answer, self._surrogate_key, work)

    def _answers_path(self, subject: Subject, number: int) -> Path:
        return self.folder / f"answers-{subject}-{number + 1}.npz"

    def _complete(self, piece: Arrays | None) -> bool:
        return piece is not None and bool((piece["answer"][self._rows("resnet")] >= 0).all())

    def _rows(self, subject: Subject) -> list[int]:
        """The states a network is asked in; the surrogate, being large, under its attack alone."""
        attacked = [k for k, (way, _) in enumerate(self.states) if way == "attack"]
        return attacked if subject == "resnet" else list(range(len(self.states)))

    def _ask(
        self, subject: Subject, number: int, answer: Answering, key: str, work: float
    ) -> Iterator[Progress]:
        """The answers of one network to all images in all states."""
        key = key_of("answers", self._disturbed_key, key)
        path = self._answers_path(subject, number)
        piece = load_piece(path, key)
        n, n_level = len(self.images), len(self.data.levels)
        known = (
            piece["answer"] if piece is not None else np.full((len(self.states), n), -1, np.int16)
        )
        part = SIMULATED_PART if subject == "hpc_net" and self._simulate else PART
        every = self.answers.setdefault(subject, [])
        every.append(known)
        rows = self._rows(subject)
        for row in rows:
            (disturbance, epsilon), share = self.states[row], work / len(rows)
            if (known[row] >= 0).all():
                self.clock.note(share, found=True)
                continue
            direction = self._ways[disturbance]
            n_step = whole_steps(epsilon, n_level)
            for at in range(0, n, part):
                some = slice(at, at + part)
                images = disturbed(self.images[some], direction[some], n_step, n_level)
                known[row, some] = answer(images)
                self.clock.note(share * len(images) / n)
                if at + part < n:
                    yield self._progress(f"{SUBJECTS[subject]}: {disturbance} of {epsilon:g}")
            save_piece(path, key, {"answer": known})
            self._count()
            yield self._progress(f"{SUBJECTS[subject]}: {disturbance} of {epsilon:g}")
        self._count()
        self._write()

    def _count(self) -> None:
        """Curves from all answers there are; one more training counts where it is complete."""
        n_level = len(self.data.levels)
        curves = []
        for subject, every in self.answers.items():
            right = [
                [int((row == self.labels).sum()) if (row >= 0).all() else None for row in known]
                for known in every
            ]
            points: dict[Disturbance, list[Point]] = {"attack": [], "noise": []}
            for k, (disturbance, epsilon) in enumerate(self.states):
                if right[0][k] is None:
                    continue
                others = tuple(r for row in right[1:] if (r := row[k]) is not None)
                applied = whole_steps(epsilon, n_level) / (n_level - 1)
                only = self._discordant(every[0][k], k) if subject == "moved" else None
                n_right = int(right[0][k] or 0)
                point = Point(epsilon, applied, n_right, len(self.labels), others, only)
                points[disturbance].append(point)
                if k == 0:
                    points["noise"].append(point)
            for disturbance, found in points.items():
                if found and (disturbance == "attack" or len(found) > 1):
                    curves.append(Curve(subject, disturbance, tuple(found)))
        self.result = replace(self.result, curves=tuple(curves))

    def _discordant(self, answer: np.ndarray, state: int) -> tuple[int, int]:
        """Images that only HPC-Net has right, and that only these answers (n,) have right."""
        one, other = self.answers["hpc_net"][0][state] == self.labels, answer == self.labels
        return int((one & ~other).sum()), int((other & ~one).sum())

    def _write(self) -> None:
        with written_aside(self.folder / RESULT) as aside:
            aside.write_text(to_json(self.result), encoding="utf-8")

    def _progress(self, phase: str) -> Progress:
        return Progress(phase, self.clock.fraction, self.clock.remaining, self.result)
