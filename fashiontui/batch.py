"""The headless front end: trains, narrates on stderr, prints results on stdout."""

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

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
from fashiontui.domain.errors import ExitCode
from fashiontui.domain.events import FirstLayer, Status
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.results import Result, results
from fashiontui.domain.spec import DataChoice, RunSpec
from fashiontui.export.documents import event_object, runs_csv, runs_document
from fashiontui.export.tables import clock, conclusion_lines, latex, markdown, notes, result_tables
from fashiontui.export.terminal import print_chart, print_table, stdout_console

Output = Literal["tables", "json", "jsonl", "csv", "markdown", "latex"]


def run_batch(
    specs: Sequence[RunSpec],
    data: DataChoice,
    data_folders: list[Path],
    store: str,
    output: Output,
) -> ExitCode:
    """Train every spec in turn, then print what came of them.

    Args:
        specs: What to train; the data set they name is replaced by the one that could be had.
        data: Which data set to train on.
        data_folders: Where to look for it; a download goes to the first.
        store: URL or path of the store.
        output: What stdout gets.

    Returns:
        ``RUN_FAILED`` when a run failed, ``INTERRUPTED`` after Ctrl+C, else ``DONE``.

    Raises:
        FashiontuiError: data, device or store are not to be had.
    """
    console = Console(stderr=True, highlight=False)
    records: list[RunRecord] = []
    interrupted = False
    with console.status("Loading torch"), _ctrl_c_leaves_at_once():
        import scipy.stats  # noqa: F401  # loaded now, so that Ctrl+C need not wait for it later

        if data != "sample":
            import fashiontui.data.fashion_mnist  # noqa: F401  # loads torchvision
        from fashiontui.data import load
        from fashiontui.engine import choose_placement, find_device
        from fashiontui.runner import run
        from fashiontui.store import Store
    device = find_device(specs[0].device)
    with closing(Store(store)) as kept:
        images = load(data, data_folders, lambda text: _notice(console, text))
        on_device = images.to(device)
        try:
            with _progress(console, len(specs)) as shown:
                for spec in specs:
                    spec = spec.model_copy(update={"dataset": images.name})
                    shown.announce(spec)
                    placement = choose_placement(spec, device, paths.measurements_file())
                    history = History()
                    try:
                        with closing(run(spec, on_device, placement, kept)) as events:
                            for event in events:
                                history.fold(event)
                                shown.draw(history)
                                if output == "jsonl" and not isinstance(event, FirstLayer):
                                    print(json.dumps(event_object(event)), flush=True)
                    finally:
                        if history.started:
                            records.append(kept.get(history.started.run_id))
                    shown.end_run(console, records[-1])
        except KeyboardInterrupt:
            interrupted = True
    _print_results(images.name, records, output)
    if interrupted:
        finished = sum(record.status is Status.FINISHED for record in records)
        _notice(console, f"interrupted with {finished} of {len(specs)} runs finished; all is kept.")
        return ExitCode.INTERRUPTED
    failed = any(record.status is Status.FAILED for record in records)
    return ExitCode.RUN_FAILED if failed else ExitCode.DONE


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
            _notice(console, f"{record.spec.title} seed {record.spec.seed} failed: {record.cause}")
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
    hidden = not console.is_terminal
    with Progress(*columns, console=console, disable=hidden, transient=True) as bars:
        yield _Shown(bars, runs)


@contextmanager
def _ctrl_c_leaves_at_once() -> Iterator[None]:
    """While libraries load there is nothing to keep, and theirs crash on a KeyboardInterrupt."""

    def leave(_signal: int, _frame: object) -> None:
        os._exit(ExitCode.INTERRUPTED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _notice(console: Console, text: str) -> None:
    console.print(Text(f"fashiontui: {text}"), soft_wrap=True)


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
            said = [f"- {line}" for line in [*conclusion_lines(drawn), *notes(found)]]
            print("\n\n".join([*map(markdown, result_tables(found)), "\n".join(said)]))
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
