"""All parameters of a run, with their units: run, clamps, recordings, membrane, cable, cutting."""

from dataclasses import replace
from functools import partial
from typing import get_args

from PyQt6.QtCore import QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from dendview import experiment_fields as fields
from dendview.attached_fields import NOUNS, SOURCES, Group, fields_of, shape_of, source_kind
from dendview.attaching import mechanisms_of, new_events
from dendview.colors import THEMES
from dendview.membranes import PREFIX, choice_of, choices
from dendview.spine_places import on_cell
from dendview.state import AppState, Picking
from dendview.views.experiment_form import Change, ExperimentForm
from dendview.views.trace_style import trace_color
from dendview.widgets.lazy import LazyWidget
from dendview.wording import place, variable_text
from engine.distributions import Distribution, Value
from engine.experiment import Experiment, Insertion
from engine.mechanisms import Mechanism
from engine.regions import Region
from engine.stimuli import Site
from engine.synapses import SpikeSource, Synapse

HEADINGS: dict[Group, tuple[str, str]] = {
    "stimuli": ("Current clamps", "Current clamp here"),
    "waveforms": ("Played currents", ""),
    "voltage_clamps": ("Voltage clamps", ""),
    "synapses": ("Synapses", "Add synapse"),
    "gap_junctions": ("Gap junctions", ""),
}
"""What can sit on the cell, and how the person gets the first one where it is common."""
N_FIELDS = 20
"""Items of a kind whose numbers are shown; hundreds of synapses would be thousands of boxes."""
NOTHING_OPEN = "Open a cell to set up an experiment"


class ExperimentPanel(LazyWidget):
    """Shows ``state.experiment``; reports an edit as a whole new experiment."""

    experiment_edited = pyqtSignal(object)  # Experiment
    segment_clicked = pyqtSignal(int)
    membrane_chosen = pyqtSignal(str)  # name of a recipe
    remove_requested = pyqtSignal(str, int)  # group, index
    place_wanted = pyqtSignal(object)  # Picking
    more_clicked = pyqtSignal(QPoint)  # where a menu of what can be added is to open

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.state = state
        self._shape: tuple[object, ...] | None = None
        self._form: ExperimentForm | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._chip = QLabel()
        self._chip.setWordWrap(True)
        self._chip.setContentsMargins(12, 8, 12, 8)
        self._chip.setToolTip("What the next run takes: compartments, steps, time and memory")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addWidget(self._chip)
        for event in (
            state.events.experiment,
            state.events.cell,
            state.events.preflight,
            state.events.theme,
        ):
            event.connect(self.redraw)

    def sizeHint(self) -> QSize:
        return QSize(320, 600)

    # Drawing

    def _draw(self) -> None:
        experiment = self.state.experiment
        parts = self.state.preflight.split(" · ")
        self._chip.setText(" · ".join(part.replace(" ", "\u00a0") for part in parts))
        self._chip.setVisible(bool(self.state.preflight))
        theme = THEMES[self.state.theme]
        self._chip.setStyleSheet(
            f"background: {theme.window}; color: {theme.muted}; border-top: 1px solid {theme.grid};"
        )
        if experiment is None or self.state.cell is None:
            self._shape = self._form = None
            nothing = QLabel(NOTHING_OPEN)
            nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
            nothing.setProperty("role", "muted")
            nothing.setWordWrap(True)
            self._scroll.setWidget(nothing)
            return
        if (shape := _shape(experiment, self.state.theme)) != self._shape:
            self._build(experiment)
            self._shape = shape
        if self._form is not None:
            self._form.show_values(experiment)

    def _build(self, experiment: Experiment) -> None:
        """Make the rows of an experiment of this shape; values come after."""
        bar = self._scroll.verticalScrollBar()
        at = bar.value() if bar is not None else 0
        known = mechanisms_of(experiment)
        self._form = form = ExperimentForm(experiment, self.state.theme)
        form.edited.connect(self._edit)
        form.site_clicked.connect(self._on_site)
        form.heading("Run")
        form.rows(fields.RUN)
        form.button_row(
            "Add to the cell ▾",
            "Currents, clamps, synapses, gap junctions and recordings at the selected place",
            self.more_clicked.emit,
        )
        for group in HEADINGS:
            self._add_attached(form, experiment, group, known)
        self._add_probes(form, experiment)
        self._add_membrane(form, experiment, known)
        form.heading("Cable")
        for i, cable in enumerate(experiment.cables):
            if len(experiment.cables) > 1 or cable.region != "all":
                form.subheading(cable.region)
            form.rows(fields.cable_fields(i))
        self._add_cutting(form, experiment)
        form.heading("Spikes")
        form.site_row("At", experiment.spike_site, "the middle of the first section")
        form.rows(fields.SPIKES)
        self._scroll.setWidget(form)
        if bar is not None:
            bar.setValue(at)

    def _add_attached(
        self,
        form: ExperimentForm,
        experiment: Experiment,
        group: Group,
        known: dict[str, Mechanism],
    ) -> None:
        """Everything of a kind that sits on the cell; what is not there is told of the usual."""
        items = getattr(experiment, group)
        heading, how = HEADINGS[group]
        if not items and not how:
            return
        form.heading(heading)
        theme = THEMES[self.state.theme]
        others = {
            "voltage_clamps": theme.error,
            "synapses": theme.accent,
            "gap_junctions": theme.done,
        }
        color = others.get(group, theme.warning)
        for i, thing in enumerate(items[:N_FIELDS]):
            what = getattr(thing, "mechanism", "") or getattr(thing, "kind", "")
            text = f"{what} at {place(thing.site)}" if what else place(thing.site)
            remove = partial(self.remove_requested.emit, group, i)
            form.item_row(thing.site, text, color, NOUNS[group], remove)
            if group == "synapses":
                self._add_source(form, thing, i, known.get(thing.mechanism))
            if group == "gap_junctions":
                other = partial(self.place_wanted.emit, Picking("other_end", thing.site, index=i))
                form.site_row("Other end", thing.other, "", other)
            form.rows(fields_of(group, i, experiment, known), indent=True)
        if len(items) > N_FIELDS:
            form.note(f"and {len(items) - N_FIELDS} more, in the project")
        if not items:
            form.note(f"None. Right-click the cell ▸ {how}.")

    def _add_source(
        self, form: ExperimentForm, synapse: Synapse, i: int, mechanism: Mechanism | None
    ) -> None:
        """Where a synapse's events come from."""
        if synapse.source is None and (mechanism is None or mechanism.receive is None):
            return
        kind = source_kind(synapse)
        pick = Picking("source", synapse.site, index=i)

        def put(now: Experiment, chosen: str) -> Experiment:
            if chosen == kind:
                return now
            if chosen == "spikes":
                self.place_wanted.emit(pick)
                return self.state.experiment or now
            synapses = list(now.synapses)
            source = new_events(now) if chosen == "own" else None
            synapses[i] = replace(synapses[i], source=source)
            return replace(now, synapses=tuple(synapses))

        kept = ("train", "point")  # nothing that is chosen here, only kept
        choices = {key: text for key, text in SOURCES.items() if key not in kept or key == kind}
        form.combo("Driven by", choices, lambda e: source_kind(e.synapses[i]), put, indent=True)
        if isinstance(synapse.source, SpikeSource):
            choose = partial(self.place_wanted.emit, pick)
            form.site_row("Spikes of", synapse.source.site, "", choose)

    def _add_probes(self, form: ExperimentForm, experiment: Experiment) -> None:
        form.heading("Recorded")
        for i, probe in enumerate(experiment.probes):
            what = "" if probe.variable == "v" else f" {variable_text(probe.variable)}"
            text = place(probe.site) + what
            remove = partial(form.edited.emit, partial(_without, group="probes", index=i))
            form.item_row(probe.site, text, trace_color(i, self.state.theme), "probe", remove)
        if not experiment.probes:
            form.note(
                "The soma's voltage, as nothing else is chosen. Right-click the cell for more."
            )

    def _add_membrane(
        self, form: ExperimentForm, experiment: Experiment, known: dict[str, Mechanism]
    ) -> None:
        form.heading("Membrane")
        presets = choices()
        if not choice_of(experiment):
            presets[""] = "Custom"

        def put(now: Experiment, key: str) -> Experiment:
            if not key.startswith(PREFIX):
                return fields.with_insertions(now, fields.PRESETS[key], known) if key else now
            self.membrane_chosen.emit(key.removeprefix(PREFIX))
            return self.state.experiment or now

        form.combo("Preset", presets, choice_of, put)
        for i, insertion in enumerate(experiment.insertions):
            mechanism = known.get(insertion.mechanism)
            where = "everywhere" if insertion.region == "all" else f"in {insertion.region}"
            form.named_row(
                f"<b>{insertion.mechanism}</b> {where}",
                mechanism.title if mechanism is not None else "not known to this program",
                f"{insertion.mechanism} {where}",
                partial(_without_mechanism, index=i, known=known),
            )
            if mechanism is not None:
                form.rows(fields.insertion_fields(i, mechanism), indent=True)
        if names := fields.reversal_names(experiment.insertions, known):
            form.subheading("Ions")
            form.rows(map(fields.reversal_field, names), indent=True)
        densities = [m.name for m in known.values() if m.kind == "density"]
        form.add_row(
            (("Mechanism to add", densities), ("Region to add it to", get_args(Region))),
            "Insert the mechanism into the region, with its default parameters",
            _with_mechanism,
        )

    def _add_cutting(self, form: ExperimentForm, experiment: Experiment) -> None:
        form.heading("Compartments")
        form.combo(
            "Cut by",
            fields.RULE_NAMES,
            lambda e: e.rule.kind,
            lambda e, kind: replace(e, rule=fields.DEFAULT_RULES[kind]),
        )
        form.rows([fields.rule_field(experiment.rule.kind)])
        form.combo(
            "Node set",
            {"merged": "Merged (fewest)", "neuron": "NEURON's"},
            lambda e: e.nodes,
            lambda e, nodes: replace(e, nodes=nodes),
        )
        form.combo(
            "Axon",
            {"keep": "As reconstructed", "stub": "Stub of 2 × 30 µm"},
            lambda e: e.axon,
            lambda e, axon: replace(e, axon=axon),
        )

    # Edits

    def _edit(self, change: Change) -> None:
        """Report a changed experiment; then show what the state made of it."""
        experiment = self.state.experiment
        if experiment is not None and (changed := change(experiment)) != self.state.experiment:
            self.experiment_edited.emit(changed)
        self.redraw()

    def _on_site(self, site: Site) -> None:
        cell, site = self.state.cell, on_cell(self.state.experiment, site)
        if cell is not None and site.section in cell.sections.name:
            self.segment_clicked.emit(cell.segment(site))


def _shape(experiment: Experiment, theme: str) -> tuple[object, ...]:
    """What decides which widgets there are, apart from their values."""
    return (
        tuple(
            tuple(shape_of(g, thing) for thing in getattr(experiment, g)[: N_FIELDS + 1])
            for g in HEADINGS
        ),
        tuple(len(getattr(experiment, group)) for group in HEADINGS),
        experiment.mechanism_folders,
        experiment.probes,
        tuple((i.mechanism, i.region, _laws(i.parameters)) for i in experiment.insertions),
        tuple((c.region, _laws((("cm", c.cm),))) for c in experiment.cables),
        choice_of(experiment),
        experiment.rule.kind,
        experiment.spike_site,
        theme,
    )


def _laws(values: tuple[tuple[str, Value], ...]) -> tuple[tuple[str, Distribution], ...]:
    """Values that change along the cell; they are told, not typed."""
    return tuple((name, v) for name, v in values if isinstance(v, Distribution))


def _without(experiment: Experiment, group: str, index: int) -> Experiment:
    items = getattr(experiment, group)
    return replace(experiment, **{group: items[:index] + items[index + 1 :]})


def _without_mechanism(e: Experiment, index: int, known: dict[str, Mechanism]) -> Experiment:
    return fields.with_insertions(e, e.insertions[:index] + e.insertions[index + 1 :], known)


def _with_mechanism(mechanism: str, region: Region) -> Change:
    """A function that inserts a mechanism with its defaults."""
    return lambda e: replace(e, insertions=(*e.insertions, Insertion(mechanism, region)))
