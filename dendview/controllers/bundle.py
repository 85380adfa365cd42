"""All controllers of a window, made together."""

from dataclasses import dataclass

from dendview.controllers.check import CheckController
from dendview.controllers.coloring import ColoringController
from dendview.controllers.engine import EngineController
from dendview.controllers.experiment import ExperimentController
from dendview.controllers.export import ExportController
from dendview.controllers.files import FilesController
from dendview.controllers.picking import PickingController
from dendview.controllers.race import RaceController
from dendview.controllers.robustness import RobustnessController
from dendview.controllers.run import RunController
from dendview.controllers.run_time import RunTimeController
from dendview.controllers.schedule import ScheduleController
from dendview.controllers.selection import SelectionController
from dendview.controllers.spike_lab import SpikeLabController
from dendview.controllers.spike_plan import SpikePlanController
from dendview.controllers.spine_effect import SpineEffectController
from dendview.controllers.training import TrainingController
from dendview.controllers.training_fetch import TrainingFetchController
from dendview.controllers.training_look import TrainingLookController
from dendview.controllers.training_plan import TrainingPlanController
from dendview.controllers.training_results import TrainingResultsController
from dendview.state import AppState
from dendview.worker.interface import Worker


@dataclass(frozen=True)
class Controllers:
    """What the window's signals are wired to."""

    files: FilesController
    selection: SelectionController
    coloring: ColoringController
    schedule: ScheduleController
    experiment: ExperimentController
    picking: PickingController
    run: RunController
    run_time: RunTimeController
    engine: EngineController
    check: CheckController
    race: RaceController
    export: ExportController
    spine_effect: SpineEffectController
    spike_plan: SpikePlanController
    spike_lab: SpikeLabController
    training_plan: TrainingPlanController
    training_fetch: TrainingFetchController
    training: TrainingController
    training_look: TrainingLookController
    training_results: TrainingResultsController
    robustness: RobustnessController


def make_controllers(state: AppState, worker: Worker) -> Controllers:
    """One controller of each kind for a state."""
    experiment = ExperimentController(state)
    run = RunController(state, worker)
    plan = SpikePlanController(state)
    training_plan = TrainingPlanController(state)
    return Controllers(
        FilesController(state),
        SelectionController(state),
        ColoringController(state),
        ScheduleController(state),
        experiment,
        PickingController(state, experiment),
        run,
        RunTimeController(state, worker, run),
        EngineController(state, worker, run),
        CheckController(state, worker, run),
        RaceController(state),
        ExportController(state),
        SpineEffectController(state, worker, run),
        plan,
        SpikeLabController(state, worker, run, experiment, plan),
        training_plan,
        TrainingFetchController(state, worker, run, training_plan),
        TrainingController(state, worker, run),
        TrainingLookController(state),
        TrainingResultsController(state),
        RobustnessController(state, worker, run),
    )
