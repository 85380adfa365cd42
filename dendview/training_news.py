"""What the engine says of a training, put into the run that the window keeps."""

from dataclasses import replace

from dendview.state import Message
from dendview.training import TrainingRun, Trouble
from dendview.worker.protocol import Trained


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


def slower(rate: float) -> float:
    """A tenth of a rate, without the digits of a division."""
    return float(f"{rate / 10:.3g}")
