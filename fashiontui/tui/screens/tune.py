"""The Tune screen: a study's trials as they come, and what decided about them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

from msgspec import structs
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, DataTable, Footer, Static

from fashiontui.domain.errors import FashiontuiError, UsageError
from fashiontui.domain.spec import DatasetName
from fashiontui.domain.study import ENOUGH_TO_JUDGE, Limits, StudySpec, StudyView
from fashiontui.domain.text import printable
from fashiontui.tui.choice import Choice
from fashiontui.tui.library import Library
from fashiontui.tui.messages import Failed, ImportancesRead, RunsFetched, StudyRead, TrainRequested
from fashiontui.tui.queue import RunQueue, StudyTurn, Turn
from fashiontui.tui.studies import PLANNED, standing
from fashiontui.tui.terminal import size_classes
from fashiontui.tui.widgets.chart import Marker
from fashiontui.tui.widgets.study_charts import BestChart, Importances, SliceChart
from fashiontui.tui.widgets.study_form import StudyForm
from fashiontui.tui.widgets.study_panel import StudyPanel
from fashiontui.tui.widgets.trials_table import TrialsTable

LOOK_SECONDS = 0.3
"""How often the screen looks whether the training thread has come further."""
SEEDS = 5
"""How often ``r`` trains a trial's spec."""
PANELS = {name.lower(): name for name in ("Study", "Best", "Slice", "Trials", "Importances")}
"""Names of the panels, by their ids."""


class Tune(Screen[None]):
    """Search a family's shapes and settings within a budget."""

    CSS_PATH = "tune.tcss"
    AUTO_FOCUS = "Tune.-normal #trials"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-high")]
    BINDINGS = [
        Binding("escape", "back", "Back", id="tune.back", key_display="esc",
                tooltip="Close the form, or go back to the lab; the study trains on"),
        Binding("t", "start", "Train", id="tune.start",
                tooltip="Begin the study, or let it go on"),
        Binding("n", "new", "New", id="tune.new",
                tooltip="Open the form for a new study"),
        Binding("p", "pause", "Pause", id="tune.pause",
                tooltip="Pause the study after the trial under way"),
        Binding("s", "stop", "Stop", id="tune.stop",
                tooltip="Stop the trial under way at once, to be continued"),
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
            for number, (panel, name) in enumerate(PANELS.items(), start=1)
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
        progress: Callable[[], object],
    ) -> None:
        """Args:
        library: Runs and studies.
        queue: Where trials wait for their turn.
        choice: What the lab's form has.
        dataset: What a new study is on.
        marker: How lines are drawn.
        progress: Says which run is under way, and how far.
        """
        super().__init__(classes="-show-1")
        self._library = library
        self._queue = queue
        self._choice = choice
        self._dataset = dataset
        self._marker = marker
        self._progress = progress
        self._names: list[str] = []
        self._view: StudyView | None = None
        self._here: int | None = None
        """Number of the trial that the charts point at."""
        self._readings = count(1)
        self._shown = 0
        """Number of the reading that is on the screen."""
        self._seen: object = None
        self._begins = False
        """Whether a study is to go on that is not in the queue yet."""
        self._shares: dict[str, Mapping[str, float] | None] = {}
        """Importances by study, as they were told last."""
        self._judged: tuple[str, int] | None = None
        """Which study's importances were asked for, and after how many complete trials."""

    def compose(self) -> ComposeResult:
        """How the study stands, two charts, table and importances; the study is read meanwhile."""
        self._read(None)
        classes = size_classes(
            self.app.size, self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS
        )
        self.add_class(*classes, update=False)
        yield Horizontal(
            *(
                Static(f"[@click=screen.panel('{panel}')]{number} {name}[/]", id=f"to-{panel}")
                for number, (panel, name) in enumerate(PANELS.items(), start=1)
            ),
            id="tune-bar",
        )
        with Container(id="tune-panels"):
            yield StudyPanel(self._choice)
            yield BestChart(self._marker)
            yield SliceChart(self._marker)
            yield TrialsTable()
            yield Importances()
        yield Footer()

    def on_mount(self) -> None:
        """Look for news from now on."""
        self._seen = self._state
        self.set_interval(LOOK_SECONDS, self._look)

    @property
    def panel(self) -> StudyPanel:
        """How the study stands, and the form."""
        return self.query_one(StudyPanel)

    @property
    def table(self) -> TrialsTable:
        """The trials."""
        return self.query_one(TrialsTable)

    # Reading

    @work(thread=True, group="store", exit_on_error=False)
    def _read(self, name: str | None) -> None:
        """Read a study, the newest where none is named, and the names of all."""
        number = next(self._readings)
        try:
            names, view = self._library.study(name)
        except FashiontuiError as error:
            self.post_message(Failed(str(error), error.exit_code))
        else:
            self.post_message(StudyRead(number, names, view))

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
        return current and current.number, self._turn, self._progress()

    @property
    def _turn(self) -> Turn:
        """What the study does that is shown."""
        return self._queue.turn_of(self._view.name) if self._view else Turn.RESTS

    @property
    def _limits(self) -> Limits:
        """When it is over; never, while what was typed is no use."""
        try:
            return self.panel.limits()
        except UsageError:
            return Limits()

    @on(StudyRead)
    async def _study_read(self, message: StudyRead) -> None:
        view = message.view
        if message.number < self._shown:
            return  # two threads read, and this one was overtaken
        if self.panel.form and not self._begins and self.panel.picked != (view and view.name):
            return  # another one was picked meanwhile
        self._shown = message.number
        if view is not None:
            view = replace(view, importances=self._shares.get(view.name))
        self._names, self._view = message.names, view
        if self._begins:
            self._begins = False
            self._close_form()
        self._draw()
        if view is None:
            await self.panel.ask(new=True)
            return
        asked = view.name, len(view.complete)
        if len(view.complete) >= ENOUGH_TO_JUDGE and asked != self._judged:
            self._judged = asked
            # Behind the paint: to load Optuna takes the interpreter from it.
            self.call_after_refresh(self.call_after_refresh, self._judge, view.name)

    @on(ImportancesRead)
    def _importances_read(self, message: ImportancesRead) -> None:
        self._shares[message.study] = message.shares
        if self._view is not None and self._view.name == message.study:
            self._view = replace(self._view, importances=message.shares)
            self._draw()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self._begins = False
        self._draw(f"✗ {printable(message.sentence)}")

    @on(StudyForm.Picked)
    def _picked(self) -> None:
        if (name := self.panel.picked) is None:
            self._view = None
            self._draw()
        else:
            self._read(name)

    # Drawing

    def _draw(self, says: str = "") -> None:
        """Draw everything anew; ``says`` instead of how the study stands."""
        view = self._view
        if not says and self._begins:
            says = "… begins"
        elif not says:
            says = standing(view, self._limits, self._turn) if view else PLANNED
        self.panel.show(self._names, view, says)
        self.table.fill(view)
        self._draw_charts()
        self.query_one(Importances).draw(view)
        self.refresh_bindings()

    def _draw_charts(self) -> None:
        self._here = self.table.current.number if self.table.current else None
        self.query_one(BestChart).draw(self._view, self._here)
        self.query_one(SliceChart).draw(self._view, self._here)

    @on(DataTable.RowHighlighted, "#trials")
    def _moved(self) -> None:
        if self.table.current and self.table.current.number != self._here:
            self._draw_charts()

    @on(DataTable.RowSelected, "#trials")
    def _open_run(self) -> None:
        trial = self.table.current
        if trial is not None and trial.run_id is not None:
            self._fetch(trial.run_id)

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

    def action_back(self) -> None:
        """Close the form, if a study is there to be shown; else leave."""
        if self.panel.form and self._names:
            self._close_form()
            self._draw()
            if self._view is None:
                self._read(None)
        else:
            self.app.pop_screen()

    def _close_form(self) -> None:
        self.panel.close()
        if self.table.display:
            self.table.focus()

    async def action_new(self) -> None:
        """Open the form for a new study."""
        self._show_panel("study")
        self._view = None
        self._draw()
        await self.panel.ask(new=True)

    @on(Button.Pressed, "#start")
    async def action_start(self) -> None:
        """Begin the study, or let it go on."""
        if self._turn not in (Turn.RESTS, Turn.PAUSES):
            self.notify("The study is under way; pause it (p) to give it other limits.")
            return
        panel = self.panel
        try:
            limits = panel.limits()
            spec = self._view.spec if self._view else None
            if spec is None:
                form = panel.form or await panel.ask(new=True)
                spec = form.planned(self._dataset, self._choice)
        except UsageError as error:
            await panel.ask(new=self._view is None)
            self.notify(str(error), severity="error")
        else:
            self._begins = True
            self._draw()
            self._begin(spec, self._view.name if self._view else None, limits)

    @work(thread=True, group="store", exit_on_error=False)
    def _begin(self, spec: StudySpec, name: str | None, limits: Limits) -> None:
        try:
            studies = self._library.studies()
            study = studies.open(name) if name is not None else studies.begin_another(spec)
        except FashiontuiError as error:
            self.post_message(Failed(str(error), error.exit_code))
        else:
            turn = StudyTurn(study.name, limits.trials, limits.target)
            self._queue.add_study(turn, spec.widest())
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
        trial = self.table.current
        assert self._view and trial
        spec = self._view.spec.run_of(trial.params)
        runs = [structs.replace(spec, seed=seed) for seed in range(SEEDS)]
        self.app.get_default_screen().post_message(TrainRequested(runs))
        self.notify(f"Trial {trial.number} is queued with {SEEDS} seeds.")

    def action_slice(self, by: int) -> None:
        """Slice along another parameter."""
        self.query_one(SliceChart).turn(by)
        self._draw_charts()

    def action_read(self) -> None:
        """Read the study again; while a new one is planned there is none."""
        if self._view is not None:
            self._read(self._view.name)

    async def action_panel(self, panel: str) -> None:
        """Go to a panel: show it where only one fits, and give it the focus."""
        shown = self.query_one(f"#{panel}")
        if panel == "study" and shown.display and not self.panel.form:
            await self.panel.ask(new=self._view is None)
            return
        self._show_panel(panel)
        inside = [shown, *shown.query("*").results(Widget)]
        if target := next((w for w in inside if w.focusable and w.display), None):
            self.set_focus(target)

    def _show_panel(self, panel: str) -> None:
        for number, other in enumerate(PANELS, start=1):
            self.set_class(other == panel, f"-show-{number}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if not self.is_mounted:
            return action == "back"
        if action == "pause":
            return self._turn in (Turn.WAITS, Turn.TRAINS)
        if action == "stop":
            return self._turn not in (Turn.RESTS, Turn.STOPS)
        if action in ("train_seeds", "slice"):
            return bool(self.table.trials)
        return action != "new" or self._view is not None
