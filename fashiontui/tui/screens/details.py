"""Everything stored of one run."""

from msgspec import to_builtins
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.events import UNFINISHED, Predictions, Status
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import how_computed
from fashiontui.tui import text
from fashiontui.tui.curves import accuracy_curves, loss_curves, reference
from fashiontui.tui.keys import CHART_KEYS
from fashiontui.tui.messages import TrainRequested
from fashiontui.tui.widgets.charts import Charts
from fashiontui.tui.widgets.columns import STATUS_GLYPHS

BAR = 10
"""Columns of the bar beside each class."""


class Details(Screen[None]):
    """Spec, results, accuracy by class, curves and epochs of a stored run."""

    CSS_PATH = "details.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]
    BINDINGS = [
        Binding("escape,enter", "app.pop_screen", "Back", id="details.back", key_display="esc",
                tooltip="Back to the lab"),
        Binding("r", "rerun", "Re-run", id="details.rerun",
                tooltip="Train this run's exact spec again"),
        Binding("c", "continue", "Continue", id="details.continue",
                tooltip="Train this run to its end"),
        *CHART_KEYS,
    ]  # fmt: skip
    HELP = """\
One stored run. **95%** is the Wilson interval of the test accuracy for the number of test images;
**± over batches** is the report's figure: how much a batch of 256 varies. The classes' accuracies
are over the test images of each class.
"""

    def __init__(self, record: RunRecord) -> None:
        """Args:
        record: With its predictions.
        """
        super().__init__()
        self._record = record

    def compose(self) -> ComposeResult:
        """Facts and classes beside each other, then the curves, then the epochs."""
        with VerticalScroll(id="details"):
            with Horizontal(id="facts-row"):
                yield Static(self._facts(), id="facts", classes="panel")
                yield Static(_classes(self._record.test), id="classes", classes="panel")
            yield Charts(("", ""), ("No epoch was finished.", "No epoch was finished."))
            yield DataTable[Text](id="epochs", cursor_type="none", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table and draw the curves."""
        record = self._record
        self.query_one("#facts").border_title = text.plain(f"Run {record.id}")
        self.query_one("#classes").border_title = "Test accuracy by class"
        history = History(epochs=list(record.epochs))
        epochs = float(record.spec.settings.epochs)
        loss, accuracy = loss_curves(history, (), None), accuracy_curves(history, (), None)
        self.query_one(Charts).show(loss, accuracy, reference(record.spec), epochs)
        table = self.query_one("#epochs", DataTable)
        for name in ("epoch", "train loss", "val loss", "val %", "learning rate", "img/s", "time"):
            table.add_column(Text(name, justify="right"))
        for epoch in record.epochs:
            cells = (
                str(epoch.epoch),
                f"{epoch.train_loss:.4f}",
                f"{epoch.val_loss:.4f}",
                f"{epoch.val_accuracy:.2f}",
                f"{epoch.lr:.2e}",
                f"{epoch.images_per_second:,.0f}",
                text.clock(epoch.train_seconds),
            )
            table.add_row(*(Text(cell, justify="right") for cell in cells))
        self.query_one("#details").focus()

    def action_rerun(self) -> None:
        """Train this spec again, and go back to watch."""
        self.app.pop_screen()
        self.app.screen.post_message(TrainRequested([self._record.spec]))

    def action_continue(self) -> None:
        """Train this run to its end, and go back to watch."""
        self.app.pop_screen()
        self.app.screen.post_message(TrainRequested([self._record]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to continue only what is unfinished."""
        return action != "continue" or self._record.status in UNFINISHED

    def action_log_axis(self) -> None:
        """Logarithmic or linear axis for the selected chart."""
        self.query_one(Charts).toggle_log()

    def action_zoom(self, factor: float) -> None:
        """Show fewer or more epochs."""
        self.query_one(Charts).zoom(factor)

    def action_zoom_all(self) -> None:
        """Show every epoch."""
        self.query_one(Charts).zoom_all()

    def _facts(self) -> Table:
        """Names and values; what does not fit a line is wrapped."""
        run, spec = self._record, self._record.spec
        how = how_computed(run.precision, run.threads, run.kernels)
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        rows = [
            (
                "model",
                f"{spec.title}" + (f" ({spec.family.describe(spec.shape)})" if spec.model else ""),
            ),
            ("weights", _weights(run)),
            ("status", STATUS_GLYPHS[run.status] + (f": {run.cause}" if run.cause else "")),
            ("validation", f"{text.percent(run.val_accuracy)} %"),
            ("test", _test(run)),
            ("time", f"{text.clock(_seconds(run))} of training and validation"),
            ("speed", f"{text.whole(run.images_per_second)} training images/s"),
            ("data", f"{spec.dataset}, seed {spec.seed}, split seed {spec.split_seed}"),
            ("recipe", f"{spec.recipe_title}: {_settings(run)}"),
            ("device", f"{run.device} ({run.device_name}), {how}"),
            ("versions", ", ".join(f"{name} {version}" for name, version in run.versions.items())),
            ("began", text.date(run.created)),
        ]
        if run.study is not None:
            rows.insert(3, ("study", f"trial {run.trial} of {run.study}"))
        for name, value in rows:
            table.add_row(Text(name), Text(value))
        return table


def _seconds(run: RunRecord) -> float | None:
    """Training and validation time; of a run under way, that of its finished epochs."""
    return run.train_seconds or (run.last.train_seconds if run.last else None)


def _weights(run: RunRecord) -> str:
    spec = run.spec
    told = f"{spec.weights:,}"
    if spec.budget:
        told += f", {spec.weights / spec.budget:.1%} of {spec.budget:,}"
    if spec.report_weights not in (None, spec.weights):
        told += f"; {spec.report_weights:,} by the report's rule"
    return told


def _test(run: RunRecord) -> str:
    interval = run.test_interval
    if run.status is Status.RUNNING:
        return "scored once, at the end of the run"
    if run.test_accuracy is None and run.study is not None:
        return "not scored: of a study the chosen trial alone is, after the search"
    if run.test_accuracy is None or interval is None:
        return "not scored: the run did not reach its end"
    told = f"{run.test_accuracy:.2f} %, 95% {interval[0]:.2f}–{interval[1]:.2f}"
    if run.test_batch_std is not None:
        told += f", ± {run.test_batch_std:.2f} over batches"
    return told


def _settings(run: RunRecord) -> str:
    settings = to_builtins(run.spec.settings)
    said = {True: "on", False: "off"}
    return ", ".join(
        f"{name.replace('_', ' ')} {said[value] if isinstance(value, bool) else value}"
        for name, value in settings.items()
    )


def _classes(test: Predictions | None) -> Table | Text:
    """Share of each class's test images that were recognised, with a bar from 50%."""
    if test is None:
        return Text(
            "The test set is scored once, at the end of a run that reaches it.", style="dim"
        )
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_column()
    for label, name in enumerate(CLASS_NAMES):
        pairs = zip(test.predicted, test.labels, strict=True)
        hits = [predicted == label for predicted, truth in pairs if truth == label]
        share = sum(hits) / len(hits) if hits else 0.0
        full = round(BAR * max(0.0, 2 * share - 1))
        table.add_row(Text(name), Text(f"{100 * share:.1f}"), Text("━" * full + "─" * (BAR - full)))
    return table
