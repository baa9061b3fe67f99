"""Live bars on stderr: all runs, and each that trains."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from fashiontui.domain.events import RunFinished, Status
from fashiontui.domain.history import History
from fashiontui.domain.spec import RunSpec
from fashiontui.export.tables import clock
from fashiontui.narration import notice


class RunBars:
    """A bar for all runs, and one for every run under way."""

    def __init__(self, console: Console, bars: Progress, runs: int) -> None:
        """Args:
        console: Where finished runs are told.
        bars: Where the bars are drawn.
        runs: How many there will be.
        """
        self._console = console
        self._bars = bars
        self._all = bars.add_task("All runs", total=runs, told="starting")
        self._of_job: dict[int, TaskID] = {}

    def announce(self, number: int, spec: RunSpec) -> None:
        """Show a job whose turn has come."""
        title = f"{spec.title} seed {spec.seed}"
        self._bars.update(self._all, told="")
        self._of_job[number] = self._bars.add_task(title, total=None, told="measuring speed")

    def draw(self, number: int, history: History) -> None:
        """Show how far its run is."""
        told = ""
        if history.progress:
            now = history.progress[-1]
            told = f"loss {now.loss:.3f}  {now.images_per_second:,.0f} img/s"
        if history.epochs:
            told += f"  val {history.epochs[-1].val_accuracy:.2f}%"
        if history.seconds_left is not None:
            told += f"  {clock(history.seconds_left)} left"
        self._bars.update(
            self._of_job[number], total=history.steps, completed=history.steps_done, told=told
        )

    def drop(self, number: int) -> None:
        """Take a job off that is over, or did not begin."""
        self._bars.remove_task(self._of_job.pop(number))

    def end_run(self, number: int, spec: RunSpec, history: History, finished: RunFinished) -> None:
        """Tick a run off; one that did not finish says why, even where progress is not shown."""
        self.drop(number)
        self._bars.advance(self._all)
        title = f"{spec.title} seed {spec.seed}"
        if finished.status in (Status.FAILED, Status.INTERRUPTED):
            notice(self._console, f"{title} {_ENDED[finished.status]}: {finished.cause}")
        elif self._console.is_terminal and finished.test:
            self._console.print(
                Text(
                    f"{title}: validation {history.epochs[-1].val_accuracy:.2f}%, "
                    f"test {finished.test.accuracy:.2f}%, {clock(finished.train_seconds)}"
                )
            )


_ENDED = {Status.FAILED: "failed", Status.INTERRUPTED: "was interrupted"}


@contextmanager
def run_bars(console: Console, runs: int) -> Iterator[RunBars]:
    """Live bars; nothing where stderr is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # above the bars; a file or pipe gets its lines itself
    ) as bars:
        yield RunBars(console, bars, runs)
