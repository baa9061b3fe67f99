"""Two or more models side by side, by epochs or by seconds."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from msgspec import structs
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer, Static

from fashiontui.domain.history import History
from fashiontui.domain.race import (
    By,
    Contestant,
    contestants,
    lead,
    missing_seeds,
    standings,
)
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.tui import text
from fashiontui.tui.messages import TrainRequested
from fashiontui.tui.screens.over_runs import (
    OverRuns,
    Stopwatch,
    empty_state,
    title_line,
    way_back,
)
from fashiontui.tui.widgets.chart import Chart, Curves, Marker
from fashiontui.tui.widgets.series import ACCURACY, Series, View

TICK_SECONDS = 0.25
LASTS = 15.0
"""Seconds that a whole race takes when it is played."""
EMPTY = (
    "Two or more models race here: mark runs on the board with space, then press b. Runs that "
    "differ by their seed alone race as one model; the same seeds on both sides make a fair race."
)


class Race(OverRuns):
    """Standings and curves at one position, which moves."""

    CSS_PATH = "race.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-normal")]
    AUTO_FOCUS = ""  # the chart would take the arrows for its cursor
    BINDINGS = [
        way_back("race"),
        Binding("space", "play", "Play", id="race.play",
                tooltip="Let the race run from its start, or hold it"),
        Binding("left", "move(-1)", "Back", id="race.left", show=False,
                tooltip="An epoch, or a twentieth of the time, back"),
        Binding("right", "move(1)", "On", id="race.right", show=False,
                tooltip="An epoch, or a twentieth of the time, on"),
        Binding("home", "to_start", "Start", id="race.start", show=False,
                tooltip="To the first epoch"),
        Binding("end", "to_end", "Finish", id="race.end", show=False,
                tooltip="To the end, and along with what still trains"),
        Binding("s", "by", "Seconds", id="race.by",
                tooltip="By epochs or by seconds of training"),
        Binding("t", "train", "Pair seeds", id="race.train",
                tooltip="Train every model on the seeds that the others have"),
    ]  # fmt: skip
    HELP = """\
Models side by side at the same epoch, or after the same seconds of training. Accuracies are those
of validation, means over each model's seeds.

The **chance that the lead is real** is one less half the two-sided p-value: over the seeds that
both have, Student's paired t-test; with one seed in common, McNemar's exact test on the validation
images once both are at their end, and before, or without seeds in common, two proportions as if of
different images. The screen says which it was. A race looked at many times leads by chance now and
then: trust the finish.
"""

    def __init__(
        self, records: Sequence[RunRecord], live: Callable[[], History], marker: Marker
    ) -> None:
        """Args:
        records: The runs, in the order they were marked.
        live: What the run under way has told.
        marker: How curves are drawn.
        """
        super().__init__()
        self._records = records
        self._live = live
        self._marker = marker
        self._field: list[Contestant] = []
        self._by: By = "epochs"
        self._position: float | None = None
        self._playing = False
        self._watch = Stopwatch()

    def compose(self) -> ComposeResult:
        """Standings, curves, the lead."""
        yield title_line("race-title")
        yield Static(id="standings")
        yield Static(id="lead", markup=False)
        yield Chart(ACCURACY, "No epoch has ended yet.", "race-chart")
        yield empty_state(EMPTY)
        yield Footer()

    def on_mount(self) -> None:
        """Show the finish."""
        self.query_one(Curves).marker = self._marker
        self._field = contestants(self._records)
        self.set_class(len(self._field) < 2, "-empty")
        if self.has_class("-empty"):
            return
        self._look()
        self.set_interval(TICK_SECONDS, self._tick)

    @property
    def _end(self) -> float:
        """The last position there is."""
        if self._by == "epochs":
            return float(max(one.length for one in self._field))
        return max(one.seconds for one in self._field)

    @property
    def _here(self) -> float:
        """The position shown: the end, unless one has moved away from it."""
        return self._end if self._position is None else min(self._position, self._end)

    def _tick(self) -> None:
        self.advance(self._watch.lap())

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, and look at what still trains."""
        if self._playing:
            here = self._here + seconds * self._end / LASTS
            self._playing = here < self._end
            self._position = here if self._playing else None
        self._look()

    def _look(self) -> None:
        """Draw the field as it is now."""
        history = self._live()
        started = history.started
        records = [
            replace(record, epochs=tuple(history.epochs))
            if started is not None and record.id == started.run_id
            else record
            for record in self._records
        ]
        self._field = contestants(records)
        self._draw()

    def _draw(self) -> None:
        here = self._here
        if self._by == "epochs":
            where, end = f"epoch {here:.0f}", f"{self._end:.0f}"
        else:
            where, end = f"{here:.1f} s", f"{self._end:.1f} s"
        state = "▶ " if self._playing else ""
        finish = " (the end)" if self._position is None else f" of {end}"
        title = f"{state}RACE by {self._by} · at {where}{finish}"
        self.query_one("#race-title", Static).update(title)
        table = self._standings(here)
        self.query_one("#standings", Static).update(table)
        self.query_one("#lead", Static).update(self._lead(here))
        series = [
            Series(one.title, one.letter if one.letter <= "f" else "f", one.letter.upper(),
                   [point for point in one.curve(self._by) if point[0] <= here + 1e-9])
            for one in self._field
        ]  # fmt: skip
        chart = self.query_one(Chart)
        chart.show(series, None, self._end)
        chart.border_title = f"Validation accuracy % by {self._by}"
        chart.view = View(cursor=round(here) if self._by == "epochs" else None)

    def _standings(self, here: float) -> Table:
        table = Table.grid(padding=(0, 2))
        for justify in ("right", "left", "right", "right", "left", "right"):
            table.add_column(justify=justify, no_wrap=True)
        table.add_row(
            *(Text(name, "dim") for name in ("#", "model", "val %", "gap", "seeds", "epoch"))
        )
        ordered = standings(self._field, here, self._by)
        best = ordered[0].accuracy
        for place, one in enumerate(ordered, start=1):
            gap = (
                ""
                if place == 1 or one.accuracy is None or best is None
                else (f"{one.accuracy - best:+.2f}")
            )
            look = "bold" if place == 1 else ""
            seeds = ",".join(map(str, one.contestant.seeds[:6]))
            table.add_row(
                Text(str(place)),
                Text(f"{one.contestant.letter.upper()} {one.contestant.title}", look),
                Text(text.percent(one.accuracy), look),
                Text(gap),
                Text(seeds + ("…" if len(one.contestant.seeds) > 6 else "")),
                Text(f"{one.epoch:g}"),
            )
        return table

    def _lead(self, here: float) -> Text:
        first, second, *_ = standings(self._field, here, self._by)
        found = lead(first.contestant, second.contestant, here, self._by)
        if found is None:
            return Text("Not everyone has begun.")
        leader = f"{first.contestant.letter.upper()} {first.contestant.title}"
        told = Text()
        told.append(f"{leader} leads by {found.points:.2f} points; ", "bold")
        told.append(f"chance that the lead is real: {100 * min(found.chance, 0.9999):.2f}%", "bold")
        told.append(f" ({found.method}).")
        if missing := missing_seeds(self._field):
            runs = sum(map(len, missing.values()))
            told.append(f" t trains {runs} run{'s' if runs > 1 else ''} to pair the seeds.", "dim")
        return told

    # Keys

    def action_play(self) -> None:
        """Run the race from its start, go on, or hold it."""
        if not self._playing and self._position is None:
            self._position = 0.0
        self._playing = not self._playing
        self._watch.lap()
        self._draw()

    def action_move(self, by: int) -> None:
        """Move the position."""
        step = 1.0 if self._by == "epochs" else self._end / 20
        moved = max(0.0, self._here + by * step)
        self._position = None if moved >= self._end else moved
        self._draw()

    def action_to_start(self) -> None:
        """Show the first epoch."""
        self._position = 1.0 if self._by == "epochs" else self._end / 20
        self._draw()

    def action_to_end(self) -> None:
        """Show the finish."""
        self._position, self._playing = None, False
        self._draw()

    def action_by(self) -> None:
        """Change between epochs and seconds, at the finish."""
        self._by = "seconds" if self._by == "epochs" else "epochs"
        self._position, self._playing = None, False
        self._draw()

    def action_train(self) -> None:
        """Queue the runs that pair the seeds."""
        lacking = missing_seeds(self._field)
        specs: list[RunSpec] = [
            structs.replace(one.runs[0].spec, seed=seed)
            for one in self._field
            for seed in lacking.get(one.letter, ())
        ]
        if not specs:
            self.notify("Every model has the same seeds already.")
            return
        self.app.pop_screen()
        self.app.screen.post_message(TrainRequested(specs))
