"""Accuracy against weights, time or multiply-adds: the frontier, and what to train next."""

from collections.abc import Callable, Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Footer, Static

from fashiontui.domain.board import BoardRow, report_rows
from fashiontui.domain.errors import UsageError
from fashiontui.domain.pareto import (
    Cost,
    Point,
    Quality,
    Suggestion,
    frontier,
    live_point,
    placed,
    points_of,
    suggestion,
)
from fashiontui.domain.shapes import FAMILIES, family_named
from fashiontui.tui import text
from fashiontui.tui.screens.over_runs import OverRuns, empty_state, title_line, way_back
from fashiontui.tui.widgets.chart import Marker
from fashiontui.tui.widgets.pareto_plot import HOLLOW, LIVE, REPORT, ParetoPlot, Plotted

COSTS: tuple[tuple[Cost, str], ...] = (
    ("weights", "weights"),
    ("train_seconds", "training time"),
    ("multiply_adds", "multiply-adds an image"),
)
QUALITIES: dict[Quality, str] = {"val_accuracy": "validation", "test_accuracy": "test"}
NARROW = 100
"""Columns below which the title is short."""
LOOK_SECONDS = 0.5
"""Time between two looks at how far the run under way has come."""
EMPTY = (
    "Networks appear here when their runs are finished: what they cost, and how good they are. "
    "Press esc, then t to train the network of panel 1, or a for the report's seven."
)


class Pareto(OverRuns):
    """Every finished network as a point; arrows move from point to point."""

    CSS_PATH = "pareto.tcss"
    BINDINGS = [
        way_back("pareto"),
        Binding("left", "step(-1)", "Cheaper", id="pareto.left", show=False,
                tooltip="The next cheaper point"),
        Binding("right", "step(1)", "Dearer", id="pareto.right", show=False,
                tooltip="The next dearer point"),
        Binding("down", "step_frontier(-1)", "Frontier", id="pareto.down", show=False,
                tooltip="The next cheaper point of the frontier"),
        Binding("up", "step_frontier(1)", "Frontier", id="pareto.up", show=False,
                tooltip="The next dearer point of the frontier"),
        Binding("enter", "open", "Open", id="pareto.open", key_display="enter",
                tooltip="Everything stored of this run"),
        Binding("x", "next_cost", "Axis", id="pareto.cost",
                tooltip="Against weights, training time or multiply-adds"),
        Binding("y", "next_quality", "Val/test", id="pareto.quality",
                tooltip="Validation or test accuracy"),
        Binding("h", "report", "Report", id="pareto.report",
                tooltip="Show or hide the report's seven points"),
        Binding("t", "train", "Train it", id="pareto.train",
                tooltip="Train the suggested network, with the recipe of panel 1"),
    ]  # fmt: skip
    HELP = """\
A network is on the **frontier** where no other equals or beats it at no higher cost: those are
drawn full and joined by a line, all others hollow and dim. A bar is a standard deviation over seeds
to either side. `×` are the report's seven, `▶` is the run under way after its last epoch; neither
takes part in the frontier.

**Multiply-adds** are counted exactly from the layers, for one image; twice as many are
floating-point operations.

The **next run** suggested is where the frontier is known least: the largest gap between two
neighbours, in decades of weights times points of validation accuracy, halved. Nothing is suggested
by test accuracy.
"""

    def __init__(
        self,
        rows: Sequence[BoardRow],
        live: Callable[[], BoardRow | None],
        fetch: Callable[[str], object],
        request: Callable[[Suggestion], Message],
        marker: Marker,
    ) -> None:
        """Args:
        rows: Stored runs of one data set.
        live: The run under way, if there is one.
        fetch: Asks for the details of a stored run.
        request: Makes a suggestion a wish to train.
        marker: How the frontier is drawn.
        """
        super().__init__()
        self._stored = points_of(row for row in rows if not row.is_report)
        on_report_data = not rows or rows[0].dataset == "fashion-mnist"
        self._reported = points_of(report_rows()) if on_report_data else []
        self._suggestion = suggestion(self._stored)
        self._live = live
        self._fetch = fetch
        self._request = request
        self._marker = marker
        self._cost = 0
        self._quality: Quality = "val_accuracy"
        self._with_report = True
        self._chosen: Point | None = None
        self._points: list[Point] = []
        self._frontier: list[Point] = []

    def compose(self) -> ComposeResult:
        """The plot, what is said of the point, what to train next."""
        yield title_line("pareto-title")
        yield ParetoPlot()
        yield empty_state(EMPTY)
        yield Static(id="point-says", markup=False)
        yield Static(id="suggestion", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Draw, and look again twice a second."""
        self.query_one(ParetoPlot).marker = self._marker
        self.set_class(not self._stored, "-empty")
        self._look()
        if self._frontier:
            self._choose(self._frontier[-1])
        self._say_suggestion()
        self.set_interval(LOOK_SECONDS, self._look)

    @property
    def _cost_name(self) -> Cost:
        return COSTS[self._cost][0]

    def _look(self) -> None:
        """Draw the points as they are now: the one under way moves."""
        row = self._live()
        under_way = live_point(row) if row is not None else None
        everything = [*self._stored, *(self._reported if self._with_report else [])]
        everything += [under_way] if under_way else []
        self._points = placed(everything, self._cost_name, self._quality)
        self._frontier = frontier(self._stored, self._cost_name, self._quality)
        self._draw()

    def _draw(self) -> None:
        said = f"{QUALITIES[self._quality]} accuracy % against "
        if self.size.width < NARROW:  # the legend matters more
            said = f"{self._quality.removesuffix('_accuracy')} % by "
        title = Text(said, no_wrap=True)
        title.append(COSTS[self._cost][1], "bold").append("   ")
        arches = {point.arch for point in self._points}
        for family in (one for one in FAMILIES.values() if one.name in arches):
            title.append(f"{family.marker}{HOLLOW.get(family.marker, '○')} {family.title}  ")
        title.append(f"{REPORT} report  " if self._with_report and self._reported else "")
        title.append(f"{LIVE} training" if any(point.is_live for point in self._points) else "")
        self.query_one("#pareto-title", Static).update(title)
        plot = self.query_one(ParetoPlot)
        plot.show(
            Plotted(
                tuple(self._points), tuple(self._frontier), self._cost_name, self._quality,
                self._chosen,
            )
        )  # fmt: skip
        self._say_point()

    def _say_point(self) -> None:
        point = self._chosen
        if point is None:
            self.query_one("#point-says", Static).update("")
            return
        said = Text(no_wrap=True)
        said.append(f"{point.title}", "bold")
        over = f", {point.seeds} seeds" if point.seeds > 1 else ""
        said.append(f" ({family_named(point.arch).title}, {point.recipe}{over})")
        if point in self._frontier:
            said.append(" on the frontier", "bold")
        said.append("\n")
        parts = [
            f"val {_accuracy(point.val_accuracy, point.val_std)}",
            f"test {_accuracy(point.test_accuracy, point.test_std)}",
            f"{point.weights:,} weights",
            text.clock(point.train_seconds),
            f"{point.multiply_adds:,} multiply-adds",
        ]
        said.append(" · ".join(parts))
        self.query_one("#point-says", Static).update(said)

    def _say_suggestion(self) -> None:
        said = Text()
        if self._suggestion is not None:
            family = family_named(self._suggestion.arch).title
            said.append("Next run: ", "bold")
            said.append(f"{family} of {self._suggestion.budget:,} weights (t trains it). ", "bold")
            said.append(self._suggestion.why)
        self.query_one("#suggestion", Static).update(said)

    def _choose(self, point: Point) -> None:
        self._chosen = point
        self._draw()
        self.refresh_bindings()

    # Keys

    def action_step(self, by: int) -> None:
        """Move to the next point by cost."""
        self._step(self._points, by)

    def action_step_frontier(self, by: int) -> None:
        """Move along the frontier."""
        self._step(self._frontier, by)

    def _step(self, points: Sequence[Point], by: int) -> None:
        if not points:
            return
        if self._chosen in points:
            at = points.index(self._chosen) + by
        else:
            cost = (self._chosen.cost(self._cost_name) if self._chosen else None) or 0
            below = sum((point.cost(self._cost_name) or 0) <= cost for point in points)
            at = below if by > 0 else below - 1
        self._choose(points[max(0, min(len(points) - 1, at))])

    def action_open(self) -> None:
        """Open the run of the point."""
        point = self._chosen
        if point is None:
            return
        if point.is_report or point.is_live:
            what = "the report's" if point.is_report else "still training"
            self.notify(f"This point is {what}; no finished run is stored for it.")
        else:
            self._fetch(point.run_id)

    def action_next_cost(self) -> None:
        """Take the next quantity for the axis."""
        self._cost = (self._cost + 1) % len(COSTS)
        self._look()

    def action_next_quality(self) -> None:
        """Change between validation and test accuracy."""
        names = list(QUALITIES)
        self._quality = names[1 - names.index(self._quality)]
        self._look()

    def action_report(self) -> None:
        """Show or hide the report's points."""
        self._with_report = not self._with_report
        self._look()

    def action_train(self) -> None:
        """Queue the suggested network."""
        if self._suggestion is None:
            return
        try:
            wish = self._request(self._suggestion)
        except UsageError as error:
            self.notify(str(error), severity="error")
            return
        self.app.pop_screen()
        self.app.screen.post_message(wish)

    def offers(self, action: str) -> bool:
        """Open and train where there is something to; the rest acts on the report's points too."""
        if action == "open":
            return self._chosen is not None
        return action != "train" or self._suggestion is not None

    @on(ParetoPlot.Pointed)
    def _pointed(self, message: ParetoPlot.Pointed) -> None:
        self._choose(message.point)
        if message.opened:
            self.action_open()


def _accuracy(mean: float | None, spread: float | None) -> str:
    return text.percent(mean) + (f" ±{spread:.2f}" if spread is not None else "")
