"""The headless front end: trains, narrates on stderr, prints results on stdout."""

import json
import os
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from fashiontui import paths
from fashiontui.domain.conclusions import Conclusion, conclusions
from fashiontui.domain.errors import ExitCode, FashiontuiError
from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted, Status
from fashiontui.domain.events import Progress as ProgressEvent
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.results import Result, results
from fashiontui.domain.spec import DataChoice, RunSpec
from fashiontui.export.documents import event_object, runs_csv, runs_document
from fashiontui.export.tables import (
    clock,
    conclusion_lines,
    latex,
    markdown_document,
    notes,
    result_tables,
)
from fashiontui.export.terminal import print_chart, print_table, stdout_console
from fashiontui.narration import download_bar, notice
from fashiontui.signals import Signals

if TYPE_CHECKING:
    import torch

    from fashiontui.data import Dataset
    from fashiontui.store import Store

TOLD = (RunStarted, ProgressEvent, EpochEnded, RunFinished)
"""Events that ``--jsonl`` prints; the others are for the screen."""
Output = Literal["tables", "json", "jsonl", "csv", "markdown", "latex"]


def run_batch(
    specs: Sequence[RunSpec] | None,
    data: DataChoice,
    data_folders: list[Path],
    store: str,
    output: Output,
) -> int:
    """Train every spec in turn, or continue what was not finished; print what came of it.

    Args:
        specs: What to train; the data set they name is replaced by the one that could be had. None
            continues the stopped and interrupted runs on that data set, the oldest first.
        data: Which data set to train on.
        data_folders: Where to look for it; a download goes to the first.
        store: URL or path of the store.
        output: What stdout gets.

    Returns:
        ``RUN_FAILED`` when a run failed, 128 and its number after a signal, else ``DONE``.

    Raises:
        FashiontuiError: data, device or store are not to be had.
    """
    console = Console(stderr=True, highlight=False)
    signals = Signals()
    with signals.listening():
        try:
            return _trained(specs, data, data_folders, store, output, console, signals)
        except KeyboardInterrupt:
            notice(console, "interrupted; nothing was trained, what was downloaded is kept.")
            return signals.exit_code


def _trained(
    specs: Sequence[RunSpec] | None,
    data: DataChoice,
    data_folders: list[Path],
    store: str,
    output: Output,
    console: Console,
    signals: Signals,
) -> int:
    with console.status("Loading torch"), signals.obeyed_at_once():
        import scipy.special  # noqa: F401  # loaded now, so that a signal need not wait for it

        if data != "sample":
            import fashiontui.data.fashion_mnist  # noqa: F401  # loads torchvision
        from fashiontui.data import load
        from fashiontui.store import Store
    with closing(Store(store)) as kept:
        unfinished = [kept.get(run_id) for run_id in kept.unfinished()] if specs is None else []
        if specs is None and {record.spec.dataset for record in unfinished} <= {"sample"}:
            data = "sample"  # nothing to look for, or to download
        with download_bar(console) as arrived:
            images = load(data, data_folders, lambda text: notice(console, text), arrived)
        jobs: Sequence[RunSpec | RunRecord]
        if specs is None:
            jobs = [record for record in unfinished if record.spec.dataset == images.name]
        else:
            jobs = [spec.model_copy(update={"dataset": images.name}) for spec in specs]
        training = _Training(console, kept, images, signals, output == "jsonl")
        try:
            training.work(jobs)
        except KeyboardInterrupt:
            if console.is_terminal and signals.received == getattr(signal, "SIGHUP", None):
                console.file = open(os.devnull, "w")  # noqa: SIM115  # it is gone
    records = training.records
    _print_results(images.name, records, output)
    if signals.received is not None:
        done = sum(record.status is Status.FINISHED for record in records)
        saved = records and records[-1].status is Status.STOPPED
        remedy = "; continue the one under way with: fashiontui --batch --resume" if saved else "."
        notice(console, f"interrupted with {done} of {len(jobs)} runs finished{remedy}")
        return signals.exit_code
    if specs is None and not jobs:
        notice(console, "no run waits to be continued.")
    return ExitCode.RUN_FAILED if training.failed else ExitCode.DONE


class _Training:
    """Trains one job after another; what came of each is in ``records``."""

    def __init__(
        self, console: Console, store: "Store", images: "Dataset", signals: Signals, jsonl: bool
    ) -> None:
        self.records: list[RunRecord] = []
        self.failed = False
        self._console = console
        self._store = store
        self._images = images
        self._signals = signals
        self._jsonl = jsonl
        self._on_device: dict[str, Dataset] = {}

    def work(self, jobs: Sequence[RunSpec | RunRecord]) -> None:
        """Train them all.

        Raises:
            KeyboardInterrupt: a signal asked to stop; the run under way is saved.
        """
        with _progress(self._console, len(jobs)) as shown:
            for job in jobs:
                spec = job.spec if isinstance(job, RunRecord) else job
                shown.announce(spec)
                try:
                    self._train(job, shown)
                except FashiontuiError as error:
                    continued = isinstance(job, RunRecord)
                    if continued and error.exit_code is ExitCode.USAGE:
                        notice(self._console, str(error))  # another process took or deleted it
                        continue
                    own = (ExitCode.RUN_FAILED, *((ExitCode.NO_DEVICE,) if continued else ()))
                    if error.exit_code not in own:
                        raise  # the next would fare no better
                    self.failed = True
                    notice(self._console, f"{spec.title} seed {spec.seed} failed: {error}")
                    continue
                if self._signals.received is not None:
                    raise KeyboardInterrupt
                self.failed |= self.records[-1].status is Status.FAILED
                shown.end_run(self._console, self.records[-1])

    def _train(self, job: RunSpec | RunRecord, shown: "_Shown") -> None:
        events = self._events(job)
        history = History()
        try:
            with self._signals.noted(), closing(events):
                for event in events:
                    history.fold(event)
                    if isinstance(event, TOLD):
                        shown.draw(history)
                        if self._jsonl:
                            print(json.dumps(event_object(event)), flush=True)
                    if self._signals.received is not None:
                        break
        finally:
            if history.started:
                self.records.append(self._store.get(history.started.run_id))

    def _events(self, job: RunSpec | RunRecord) -> Generator[Event, None, None]:
        """What training, or continuing, the job yields."""
        from fashiontui.engine import choose_placement, find_device
        from fashiontui.runner import resume, run

        if isinstance(job, RunRecord):
            images = self._images_on(find_device(job.device))
            return resume(self._store.resume(job.id), images, self._store)
        device = find_device(job.device)
        images = self._images_on(device)
        placement = choose_placement(job, device, paths.measurements_file())
        return run(job, images, placement, self._store)

    def _images_on(self, device: "torch.device") -> "Dataset":
        if str(device) not in self._on_device:
            self._on_device[str(device)] = self._images.to(device)
        return self._on_device[str(device)]


class _Shown:
    """Two bars on stderr: all runs, and the present one."""

    def __init__(self, bars: Progress, runs: int) -> None:
        self._bars = bars
        self._all = bars.add_task("All runs", total=runs, told="")
        self._run = bars.add_task("", total=None, told="", visible=False)

    def announce(self, spec: RunSpec) -> None:
        """Name the run that is about to begin."""
        title = f"{spec.title} seed {spec.seed}"
        self._bars.reset(
            self._run, description=title, total=None, told="measuring speed", visible=True
        )

    def draw(self, history: History) -> None:
        """Show how far the run is."""
        told = ""
        if history.progress:
            now = history.progress[-1]
            told = f"loss {now.loss:.3f}  {now.images_per_second:,.0f} img/s"
        if history.epochs:
            told += f"  val {history.epochs[-1].val_accuracy:.2f}%"
        if history.seconds_left is not None:
            told += f"  {clock(history.seconds_left)} left"
        self._bars.update(self._run, total=history.steps, completed=history.steps_done, told=told)

    def end_run(self, console: Console, record: RunRecord) -> None:
        """Tick it off; a failed one says why, even where progress is not shown."""
        self._bars.advance(self._all)
        if record.status is Status.FAILED:
            notice(console, f"{record.spec.title} seed {record.spec.seed} failed: {record.cause}")
        elif console.is_terminal:
            console.print(
                Text(
                    f"{record.spec.title} seed {record.spec.seed}: "
                    f"validation {record.val_accuracy:.2f}%, test {record.test_accuracy:.2f}%, "
                    f"{clock(record.train_seconds or 0)}"
                )
            )


@contextmanager
def _progress(console: Console, runs: int) -> Iterator[_Shown]:
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
        yield _Shown(bars, runs)


def _print_results(dataset: str, records: Sequence[RunRecord], output: Output) -> None:
    """What stdout gets at the end: documents of every run, or tables of the finished ones."""
    match output:
        case "json":
            print(json.dumps(runs_document(dataset, records), indent=2))
        case "csv":
            print(runs_csv(records), end="")
    found = results(records)
    if not found:
        return
    drawn = conclusions(found)
    match output:
        case "markdown":
            print(markdown_document(found, drawn))
        case "latex":
            print("\n\n".join(map(latex, result_tables(found))))
        case "tables":
            _print_tables(found, drawn)


def _print_tables(found: Sequence[Result], drawn: Sequence[Conclusion]) -> None:
    console = stdout_console()
    for table in result_tables(found):
        print_table(table)
    if drawn:
        console.print(Text("\nThe report's conclusions, from these runs"))
    for text in [*conclusion_lines(drawn), "", *notes(found)]:
        console.print(Text(text))
    if console.is_terminal:
        print_chart(found)
