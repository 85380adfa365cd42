"""What the engine says of a training, put into the run that the window keeps."""

from dataclasses import replace

from dendview.state import Message
from dendview.training import TrainingRun, Trouble
from dendview.worker.protocol import Trained
from engine.experiments.hpc_net.spec import Training


def begun(run: TrainingRun, training: Training) -> TrainingRun:
    """A run that begins or goes on with these settings; what ended it before is forgotten."""
    return replace(
        run, training=training, state="running", phase="preparing", trouble="", why="",
        warning="", remaining=None, samples_per_second=0.0, rate_wanted=None,
    )  # fmt: skip


def grown(run: TrainingRun, news: Trained) -> TrainingRun:
    """A run with what was said of it last."""
    after = replace(
        run,
        points=news.points,
        epochs=news.epochs,
        changes=news.changes,
        phase=news.phase,
        batch=news.batch,
        n_batch=news.n_batch,
        loss=news.loss,
        accuracy=news.accuracy,
        fraction=news.fraction,
        rate=news.rate,
        samples_per_second=news.samples_per_second,
        remaining=news.remaining if news.remaining != float("inf") else None,
        saved=news.saved,
        kept=news.kept,
        warning=news.warning,
    )
    if not news.trouble:
        return after
    trouble: Trouble = "loss" if news.no_numbers else "disk"
    wanted = None
    if trouble == "loss":  # the state is the last good one, perhaps of another rate
        wanted = min(slower(run.rate), news.rate)
    why = news.trouble[:1].upper() + news.trouble[1:].rstrip(".")
    return replace(
        after, trouble=trouble, why=why, rate_wanted=None if wanted == news.rate else wanted
    )


def kept_message(run: TrainingRun, why: str, details: str = "") -> Message:
    """What is left of a training that has ended early; ``run`` as its checkpoint has it."""
    calm = why in ("Stopped", "Paused")
    if run.saved is None:
        text = f"{why.rstrip('.')}; nothing is kept of it yet."
    elif calm:
        text = f"{why} at epoch {run.saved:.2f}; a checkpoint is saved."
    else:
        text = f"{why} The checkpoint holds epoch {run.saved:.2f}."
    return Message(text, "info" if calm else "error", details, "resume_training", run.number)


def waiting_message(run: TrainingRun) -> Message:
    """A training is to end, and its batch takes long."""
    left = "nothing of it is kept"
    if run.saved is not None:
        left = f"it falls back to its checkpoint of epoch {run.saved:.2f}"
    text = f"Training {run.number} ends after its batch; ended now, {left}."
    return Message(text, "warning", "", "end_training", run.number)


def slower(rate: float) -> float:
    """A tenth of a rate, without the digits of a division."""
    return float(f"{rate / 10:.3g}")
