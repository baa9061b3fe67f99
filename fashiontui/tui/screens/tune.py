"""The Tune screen: a study's trials as they come, and what decided about them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, DataTable, Footer, Static

from fashiontui.domain.errors import FashiontuiError, UsageError
from fashiontui.domain.spec import DatasetName, RunSpec
from fashiontui.domain.study import ENOUGH_TO_JUDGE, StudySpec, StudyView, Trial, TrialState
from fashiontui.tui import text
from fashiontui.tui.choice import Choice
from fashiontui.tui.library import Library
from fashiontui.tui.messages import Failed, ImportancesRead, RunsFetched, StudyRead, TrainRequested
from fashiontui.tui.queue import RunQueue, StudyTurn
from fashiontui.tui.studies import (
    TRIAL_GLYPHS,
    best_dots,
    by_importance,
    importance_bars,
    shown_value,
    slice_axis,
    slice_dots,
    standing,
)
from fashiontui.tui.terminal import size_classes
from fashiontui.tui.widgets.chart import Marker
from fashiontui.tui.widgets.dots import Axis, Dots
from fashiontui.tui.widgets.study_form import StudyForm

LOOK_SECONDS = 0.3
"""How often the screen looks whether the training thread has come further."""
SEEDS = 5
"""How often ``r`` trains a trial's spec."""
PANELS = ("study-form", "best", "slice", "trials", "importances")
NAMES = ("Study", "Best", "Slice", "Trials", "Importances")
EMPTY = "No trial yet: t starts the study."


class Tune(Screen[None]):
    """Search a family's shapes and settings within a budget."""

    CSS_PATH = "tune.tcss"
    AUTO_FOCUS = ""  # once it is known what there is
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-high")]
    BINDINGS = [
        Binding("escape", "app.pop_screen", "Back", id="tune.back", key_display="esc",
                tooltip="Back to the lab; the study trains on"),
        Binding("t", "start", "Start", id="tune.start",
                tooltip="Begin the study, or let it go on"),
        Binding("p", "pause", "Pause", id="tune.pause",
                tooltip="Pause the study after the trial under way"),
        Binding("s", "stop", "Stop", id="tune.stop",
                tooltip="Stop the trial under way now, to be continued"),
        Binding("r", "train_seeds", f"×{SEEDS} seeds", id="tune.seeds",
                tooltip=f"Queue this trial's network with {SEEDS} seeds, test set included"),
        Binding("less_than_sign,comma", "slice(-1)", "Slice", id="tune.slice_left", show=False,
                key_display="<", tooltip="Slice along the parameter before"),
        Binding("greater_than_sign,full_stop", "slice(1)", "Slice", id="tune.slice_right",
                key_display="< >", tooltip="Slice along the next parameter"),
        Binding("ctrl+r", "read", "Read", id="tune.read", show=False,
                tooltip="Read the study again"),
        *(
            Binding(str(number), f"panel('{panel}')", name, id=f"tune.panel_{number}", show=False,
                    tooltip=f"Go to {name}")
            for number, (panel, name) in enumerate(zip(PANELS, NAMES, strict=True), start=1)
        ),
    ]  # fmt: skip
    HELP = """\
**Best** has every trial by number: `●` trained to its end, `×` ended early because others did
better, `◆` is the trial under the cursor, the line is the best accuracy so far. Of a study with two
objectives it has the cost along the bottom, and the Pareto set as a line. **Slice** has the same
trials along one parameter; `<` and `>` choose it, the most important one comes first. Importances
are PED-ANOVA's (Watanabe et al. 2023): how much a parameter decides whether a trial is among the
best tenth. `enter` opens a trial's run, `r` queues its network with five seeds. Accuracy is always
on validation.
"""

    def __init__(
        self,
        library: Library,
        queue: RunQueue,
        choice: Choice,
        dataset: DatasetName,
        marker: Marker,
        epochs: Callable[[], int],
    ) -> None:
        """Args:
        library: Runs and studies.
        queue: Where trials wait for their turn.
        choice: What the lab's form has.
        dataset: What a new study is on.
        marker: How lines are drawn.
        epochs: Says how many epochs the run under way has finished.
        """
        super().__init__(classes="-show-1")
        self._library = library
        self._queue = queue
        self._choice = choice
        self._dataset = dataset
        self._marker = marker
        self._epochs = epochs
        self._view: StudyView | None = None
        self._sorted: list[Trial] = []
        self._along = 0
        self._seen: object = None
        self._judged: tuple[str, int] | None = None
        """Which study's importances were asked for, and after how many complete trials."""

    def compose(self) -> ComposeResult:
        """Form, two charts, table and importances."""
        classes = size_classes(
            self.app.size, self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS
        )
        self.add_class(*classes, update=False)
        yield Horizontal(
            *(
                Static(f"[@click=screen.panel('{panel}')]{number} {name}[/]", id=f"to-{panel}")
                for number, (panel, name) in enumerate(zip(PANELS, NAMES, strict=True), start=1)
            ),
            id="tune-bar",
        )
        with Container(id="tune-panels"):
            yield StudyForm(self._choice)
            yield Dots(EMPTY, "best")
            yield Dots(EMPTY, "slice")
            yield DataTable[Text](
                id="trials", classes="panel", cursor_type="row", zebra_stripes=True
            )
            yield Static(id="importances", classes="panel")
        yield Footer()

    def on_mount(self) -> None:
        """Read the newest study behind the first paint."""
        for chart in self.query(Dots):
            chart.marker = self._marker
        self.query_one("#best").border_title = "2 Validation % by trial"
        self.query_one("#slice").border_title = "3 Slice"
        self.query_one("#trials").border_title = "4 Trials"
        self.query_one("#importances").border_title = "5 Importances"
        self._seen = self._state
        self._read(None)
        self.set_interval(LOOK_SECONDS, self._look)

    @property
    def form(self) -> StudyForm:
        """The form."""
        return self.query_one(StudyForm)

    @property
    def table(self) -> DataTable[Text]:
        """The trials."""
        return self.query_one("#trials", DataTable)

    @property
    def current(self) -> Trial | None:
        """The trial under the cursor."""
        at = self.table.cursor_row
        return self._sorted[at] if 0 <= at < len(self._sorted) else None

    # Reading

    @work(thread=True, group="store", exit_on_error=False)
    def _read(self, name: str | None) -> None:
        """Read a study, the newest where none is named, and the names of all."""
        try:
            names, view = self._library.study(name)
        except FashiontuiError as error:
            self.post_message(Failed(str(error), error.exit_code))
        else:
            self.post_message(StudyRead(names, view))

    @work(thread=True, group="store", exit_on_error=False)
    def _judge(self, name: str) -> None:
        """Ask Optuna, which takes a while to load, how much each parameter matters."""
        try:
            shares = self._library.studies().importances(name)
        except FashiontuiError as error:
            self.post_message(Failed(str(error), error.exit_code))
        else:
            self.post_message(ImportancesRead(name, shares))

    def _look(self) -> None:
        """Read again once the training thread has come further."""
        if self._state != self._seen:
            self._seen = self._state
            self.action_read()

    @property
    def _state(self) -> object:
        """What differs when the training thread has come further."""
        current = self._queue.current
        return current and current.number, self._turn, self._epochs()

    @property
    def _turn(self) -> StudyTurn | None:
        """The turn of the study that is shown, waiting or under way."""
        jobs = (self._queue.current, *self._queue.waiting)
        turns = (job.study for job in jobs if job and job.study)
        return next((t for t in turns if self._view and t.name == self._view.name), None)

    @on(StudyRead)
    def _study_read(self, message: StudyRead) -> None:
        before, view = self._view, message.view
        if view is not None and before is not None and view.name == before.name:
            view = replace(view, importances=before.importances)
        self._view = view
        self.form.offer(message.names, view.name if view else None)
        self._draw()
        if before is None and self._sorted and not self.has_class("-narrow"):
            self.table.focus()
        elif self.focused is None:
            self.focus_next()
        if view is None or len(view.complete) < ENOUGH_TO_JUDGE:
            return
        if (asked := (view.name, len(view.complete))) != self._judged:
            self._judged = asked
            self.call_after_refresh(self._judge, view.name)

    @on(ImportancesRead)
    def _importances_read(self, message: ImportancesRead) -> None:
        if self._view is not None and self._view.name == message.study:
            self._view = replace(self._view, importances=message.shares)
            self._draw()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self.form.show(self._view, f"✗ {message.sentence}")

    @on(StudyForm.Picked)
    def _picked(self) -> None:
        if (name := self.form.picked) is None:
            self._view = None
            self._draw()
        else:
            self._read(name)

    # Drawing

    def _draw(self) -> None:
        view = self._view
        current = self._queue.current
        trains = current is not None and current.study is not None and self._turn == current.study
        self.form.show(view, standing(view, self._turn is not None, trains))
        self._fill_table()
        self._draw_charts()
        importances = self.query_one("#importances", Static)
        importances.update(importance_bars(view, max(10, importances.content_size.width - 22)))
        self.refresh_bindings()

    def _fill_table(self) -> None:
        table, view = self.table, self._view
        kept = self.current.number if self.current else None
        table.clear(columns=True)
        self._sorted = []
        if view is None or not view.trials:
            return
        names = by_importance(view)
        self._sorted = sorted(view.trials, key=_best_first)
        for title in ("  #", "state", "val %", "epochs", "  weights", " time", *names):
            table.add_column(Text(title.replace("_", " ")))
        front = {trial.number for trial in view.pareto}
        for trial in self._sorted:
            star = "*" if trial.number in front else " "
            cells = (
                f"{trial.number:>3}{star}",
                TRIAL_GLYPHS[trial.state],
                f"{text.percent(trial.val_accuracy):>5}",
                f"{trial.epochs:>6}",
                f"{trial.weights:>9,}",
                f"{text.clock(trial.train_seconds):>5}",
                *(shown_value(trial.params.get(name)) for name in names),
            )
            table.add_row(*map(Text, cells), key=str(trial.number))
        numbers = [trial.number for trial in self._sorted]
        table.move_cursor(row=numbers.index(kept) if kept in numbers else 0)

    def _draw_charts(self) -> None:
        view = self._view
        best, along = self.query_one("#best", Dots), self.query_one("#slice", Dots)
        if view is None or not view.trials:
            best.show([], Axis(0, 1))
            along.show([], Axis(0, 1))
            return
        here = self.current.number if self.current else None
        against = view.spec.against
        best.border_title = f"2 Validation % by {against or 'trial'}"
        best.show(*best_dots(view, here))
        name = self._parameter(view)
        share = (view.importances or {}).get(name)
        told = f" ({share:.0%})" if share is not None else ""
        along.border_title = f"3 Slice: {name.replace('_', ' ')}{told}"
        along.show(slice_dots(view, name, here), slice_axis(view, name))

    def _parameter(self, view: StudyView) -> str:
        names = by_importance(view)
        return names[self._along % len(names)]

    @on(DataTable.RowHighlighted, "#trials")
    def _moved(self) -> None:
        self._draw_charts()

    @on(DataTable.RowSelected, "#trials")
    def _open_run(self) -> None:
        if self.current is not None and self.current.run_id is not None:
            self._fetch(self.current.run_id)

    @work(thread=True, group="store", exit_on_error=False)
    def _fetch(self, run_id: str) -> None:
        records = self._library.find(run_id)
        self.post_message(RunsFetched(records, "details"))

    @on(RunsFetched)
    def _fetched(self, message: RunsFetched) -> None:
        from fashiontui.tui.screens.details import Details

        if message.records:
            self.app.push_screen(Details(message.records[0]))
        else:
            self.notify("This trial's run is no longer stored.", severity="warning")

    # Actions

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Begin the study, or let it go on."""
        form = self.form
        try:
            trials, target = form.limits()
            spec = self._view.spec if self._view else form.planned(self._dataset, self._choice)
        except UsageError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self._begin(spec, self._view.name if self._view else None, trials, target)

    @work(thread=True, group="store", exit_on_error=False)
    def _begin(
        self, spec: StudySpec, name: str | None, trials: int | None, target: float | None
    ) -> None:
        try:
            study = self._library.studies().begin(spec, name)
        except FashiontuiError as error:
            self.post_message(Failed(str(error), error.exit_code))
            return
        self._queue.add_study(StudyTurn(study.name, trials, target), spec.widest())
        self._read(study.name)

    def action_pause(self) -> None:
        """Begin no further trial."""
        if self._view:
            self._queue.pause_study(self._view.name, at_once=False)
            self._draw()

    def action_stop(self) -> None:
        """End the trial under way, to be continued."""
        if self._view:
            self._queue.pause_study(self._view.name, at_once=True)
            self._draw()

    def action_train_seeds(self) -> None:
        """Queue the trial's network with several seeds, as ordinary runs."""
        if self._view is None or self.current is None:
            self.notify("There is no trial to train again.")
            return
        runs = [*_with_seeds(self._view.spec.run_of(self.current.params))]
        self.app.get_default_screen().post_message(TrainRequested(runs))
        self.notify(f"Trial {self.current.number} is queued with {SEEDS} seeds.")

    def action_slice(self, by: int) -> None:
        """Slice along another parameter."""
        self._along += by
        self._draw_charts()

    def action_read(self) -> None:
        """Read the study again."""
        if self._view is not None or self.form.picked is not None:
            self._read(self._view.name if self._view else self.form.picked)

    def action_panel(self, panel: str) -> None:
        """Go to a panel: show it where only one fits, and give it the focus."""
        for number, other in enumerate(PANELS, start=1):
            self.set_class(other == panel, f"-show-{number}")
        shown = self.query_one(f"#{panel}")
        inside = [shown, *shown.query("*").results(Widget)]
        if target := next((w for w in inside if w.focusable and w.display), None):
            self.set_focus(target)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action in ("pause", "stop"):
            return self._turn is not None
        return True


def _best_first(trial: Trial) -> tuple[bool, float, int]:
    return (trial.state is not TrialState.RUNNING, -(trial.val_accuracy or 0.0), trial.number)


def _with_seeds(spec: RunSpec) -> Iterator[RunSpec]:
    for seed in range(SEEDS):
        yield spec.model_copy(update={"seed": seed})
