"""A training of the window as files of a person's own."""

import shutil
from pathlib import Path

from dendview.training import TrainingRun, network
from engine.errors import UserError
from engine.experiments.hpc_net.spec import to_json
from engine.exporting.training import (
    export_curves_csv,
    export_epochs_csv,
    export_weights_hdf5,
    load_checkpoint,
)
from engine.exporting.training_run import CHECKPOINT


def write_training(run: TrainingRun, target: str, path: Path) -> None:
    """Write what a target of the export names.

    Raises
    ------
    UserError
        If its checkpoint cannot be read, or the file cannot be written.
    OSError
    """
    checkpoint = Path(run.folder) / CHECKPOINT
    match target:
        case "training_tables":
            export_curves_csv(run.training, run, path)
            export_epochs_csv(run.training, run, path.with_name(f"{path.stem}-epochs.csv"))
        case "training_weights":
            training, state = load_checkpoint(checkpoint)
            export_weights_hdf5(network(training), state.weights, path)
        case "training_checkpoint":
            shutil.copyfile(checkpoint, path)
        case "training_recipe":
            path.write_text(to_json(run.training), encoding="utf-8")
        case _:
            raise UserError(f"'{target}' is a picture; a view draws it")
