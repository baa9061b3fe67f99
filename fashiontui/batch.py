"""The headless front end: trains, narrates on stderr, prints results on stdout."""

import json
import os
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from rich.console import Console
from rich.text import Text

from fashiontui import paths
from fashiontui.domain.conclusions import Conclusion, conclusions
from fashiontui.domain.errors import ExitCode, FashiontuiError
from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted, Status
from fashiontui.domain.events import Progress as ProgressEvent
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.results import Result, results
from fashiontui.domain.separation import Verdict, verdict
from fashiontui.domain.spec import DataChoice, RunSpec
from fashiontui.domain.sweep import standing_of
from fashiontui.export.documents import event_object, runs_csv, runs_document, verdict_object
from fashiontui.export.tables import (
    conclusion_lines,
    every_table,
    latex,
    markdown_document,
    notes,
)
from fashiontui.export.terminal import print_chart, print_table, stdout_console
from fashiontui.narration import download_bar, notice
from fashiontui.progress import RunBars, run_bars
from fashiontui.signals import Signals
from fashiontui.streams import for_results_alone

if TYPE_CHECKING:
    import torch

    from fashiontui.cluster import Cluster
    from fashiontui.data import Dataset
    from fashiontui.pool import Pool
    from fashiontui.runner import Job, Said
    from fashiontui.store import Store

TOLD = (RunStarted, ProgressEvent, EpochEnded, RunFinished)
"""Events that ``--jsonl`` prints; the others are for the screen."""
Output = Literal["tables", "json", "jsonl", "csv", "markdown", "latex"]


@dataclass(frozen=True)
class OnRay:
    """Which Ray cluster trains."""

    address: str
    """auto, HOST:PORT or ray://HOST:PORT."""
    gpus: float
    """The share of a GPU that each run gets."""


def run_batch(
    specs: Sequence[RunSpec] | None,
    data: DataChoice,
    data_folders: list[Path],
    store: str,
    output: Output,
    workers: int = 1,
    once: bool = False,
    on_ray: OnRay | None = None,
    until_separated: bool = False,
) -> int:
    """Train every spec, or continue what was not finished; print what came of it.

    Args:
        specs: What to train; the data set they name is replaced by the one that could be had. None
            continues the stopped and interrupted runs on that data set, the oldest first.
        data: Which data set to train on.
        data_folders: Where to look for it; a download goes to the first.
        store: URL or path of the store.
        output: What stdout gets.
        workers: How many runs train beside each other, each in a process of its own.
        once: Do not train specs that the store has finished, and continue those that it can; the
            results are printed with the others.
        on_ray: Train on a cluster instead.
        until_separated: Add seed after seed of the two networks that the specs name, and end as
            soon as their validation accuracies are told apart.

    Returns:
        ``RUN_FAILED`` when a run failed, 128 and its number after a signal, else ``DONE``.

    Raises:
        FashiontuiError: data, device or store are not to be had.
    """
    console = Console(stderr=True, highlight=False)
    signals = Signals()
    with signals.listening():
        try:
            return _trained(
                *(specs, data, data_folders, store, output, workers, once, on_ray),
                *(until_separated, console, signals),
            )
        except KeyboardInterrupt:
            notice(console, "interrupted; nothing was trained, what was downloaded is kept.")
            return signals.exit_code


def _trained(
    specs: Sequence[RunSpec] | None,
    data: DataChoice,
    data_folders: list[Path],
    store: str,
    output: Output,
    workers: int,
    once: bool,
    on_ray: OnRay | None,
    until_separated: bool,
    console: Console,
    signals: Signals,
) -> int:
    with console.status("Loading torch"), signals.obeyed_at_once():
        import scipy.special  # noqa: F401  # loaded now, so that a signal need not wait for it

        from fashiontui.data import load
        from fashiontui.store import Store
    stdout = sys.stdout
    with ExitStack() as stack:
        cluster = stack.enter_context(joined(on_ray, console)) if on_ray else None
        kept = stack.enter_context(closing(Store(store)))
        unfinished = [kept.get(run_id) for run_id in kept.unfinished()] if specs is None else []
        if specs is None and {record.spec.dataset for record in unfinished} <= {"sample"}:
            data = "sample"  # nothing to look for, or to download
        with download_bar(console) as arrived:
            images = load(data, data_folders, lambda text: notice(console, text), arrived)
        jobs: Sequence[Job]
        if specs is None:
            jobs = [record for record in unfinished if record.spec.dataset == images.name]
        else:
            jobs = specs = [spec.model_copy(update={"dataset": images.name}) for spec in specs]
        finished: list[str] = []
        if once and specs is not None:
            finished, jobs = left_to_do(specs, kept, continuable=cluster is None)
            if finished:
                notice(console, f"{len(finished)} of {len(specs)} runs are finished already.")
        workers = min(workers, len(jobs))
        events_to = stdout if output == "jsonl" else None
        training = _Training(console, kept, images, signals, events_to, workers, cluster)
        judged: Verdict | None = None
        try:
            if until_separated and specs is not None:
                judged = _until_separated(training, jobs)
            else:
                training.work(jobs)
        except KeyboardInterrupt:
            if console.is_terminal and signals.received == getattr(signal, "SIGHUP", None):
                console.file = open(os.devnull, "w")  # noqa: SIM115  # it is gone
        finally:
            training.close()
        records = training.records(finished)
    _print_results(images.name, records, output, judged)
    if judged is not None:
        notice(console, str(judged))
    elif until_separated and signals.received is None:
        notice(console, "too few seeds were finished by both networks to tell them apart.")
    if signals.received is not None:
        done = sum(record.status is Status.FINISHED for record in records)
        saved = sum(record.status is Status.STOPPED for record in records)
        those = "the one" if saved == 1 else "those"
        remedy = f"; continue {those} under way with: fashiontui --batch --resume" if saved else "."
        if once:
            remedy = "; the same command goes on."
        asked = len(finished) + len(jobs)
        notice(console, f"interrupted with {done} of {asked} runs finished{remedy}")
        return signals.exit_code
    if specs is None and not jobs:
        notice(console, "no run waits to be continued.")
    return ExitCode.RUN_FAILED if training.failed else ExitCode.DONE


def _until_separated(training: "_Training", jobs: "Sequence[Job]") -> Verdict | None:
    """Train the jobs seed by seed until the two networks are told apart; what seeds say of them."""
    by_seed: dict[int, list[Job]] = {}
    for job in jobs:
        by_seed.setdefault(job.spec.seed if isinstance(job, RunRecord) else job.seed, []).append(
            job
        )
    judged = None
    for of_seed in by_seed.values():
        training.work(of_seed)
        judged = verdict(results(training.records([])), most_seeds=len(by_seed))
        if judged is not None and judged.separated:
            break
    return judged


@contextmanager
def joined(on_ray: OnRay, console: Console) -> "Iterator[Cluster]":
    """The cluster, which is left at the end; Ray prints what befalls nodes, here to stderr."""
    with for_results_alone():  # until it is left: what befell nodes may be told only then
        with console.status("Joining the cluster"):
            from fashiontui.cluster import Cluster

            cluster = Cluster(on_ray.address, on_ray.gpus)
        with closing(cluster):
            yield cluster


def left_to_do(
    specs: Sequence[RunSpec], store: "Store", continuable: bool
) -> "tuple[list[str], list[Job]]":
    """Ids of the runs of these specs that are finished, and what is left to train or continue."""
    standing = standing_of(specs, store.specs())
    jobs: list[Job] = []
    for number, spec in enumerate(specs):
        run_id = standing.unfinished.get(number)
        if number in standing.finished:
            continue
        if continuable and run_id and store.checkpoints.find(run_id):
            jobs.append(store.get(run_id))
        else:
            jobs.append(spec)
    return [run_id for _, run_id in sorted(standing.finished.items())], jobs


class _Training:
    """Trains jobs, one after another or beside each other, and tells of it."""

    def __init__(
        self,
        console: Console,
        store: "Store",
        images: "Dataset",
        signals: Signals,
        events_to: TextIO | None,
        workers: int,
        cluster: "Cluster | None",
    ) -> None:
        self.failed = False
        self._console = console
        self._store = store
        self._images = images
        self._signals = signals
        self._events_to = events_to
        self._workers = workers
        self._cluster = cluster
        self._on_device: dict[str, Dataset] = {}
        self._histories: dict[int, History] = {}
        self._run_ids: dict[int, str] = {}
        self._before = 0
        """Jobs of earlier calls."""
        self._pool: Pool | None = None

    def close(self) -> None:
        """End the processes that trained."""
        if self._pool is not None:
            self._pool.close()

    def work(self, jobs: "Sequence[Job]") -> None:
        """Train them all; those of earlier calls stay what they are.

        Raises:
            KeyboardInterrupt: a signal asked to stop; the runs under way are saved.
        """
        if self._cluster is not None:
            told = self._on(self._cluster, jobs)
        elif self._workers > 1:
            told = self._beside(jobs)
        else:
            told = self._one_after_another(jobs)
        with run_bars(self._console, len(jobs)) as bars, closing(told):
            for number, said in told:
                job = jobs[number]
                spec = job.spec if isinstance(job, RunRecord) else job
                if said is None:
                    bars.announce(number, spec)
                elif isinstance(said, FashiontuiError):
                    bars.drop(number)
                    self._refuse(spec, said, continued=isinstance(job, RunRecord))
                else:
                    self._take_in(number, said, bars)
                if self._signals.received is not None:
                    break
        self._before += len(jobs)
        if self._signals.received is not None:
            raise KeyboardInterrupt

    def records(self, before: Sequence[str]) -> list[RunRecord]:
        """What came of the runs that began, in the order of the jobs, after those of before."""
        run_ids = [*before, *(run_id for _, run_id in sorted(self._run_ids.items()))]
        found = {record.id: record for record in self._store.get_all(run_ids)}
        return [found[run_id] for run_id in run_ids if run_id in found]

    def _one_after_another(self, jobs: "Sequence[Job]") -> "Generator[tuple[int, Said]]":
        """Train in this process; on CUDA, seeds of one network at once."""
        for numbers in _stacks(jobs):
            for number in numbers:
                yield number, None
            waiting, of_run = list(numbers), dict[str, int]()
            try:
                with (
                    closing(self._events([jobs[number] for number in numbers])) as events,
                    self._signals.noted(),
                ):
                    for event in events:
                        if event.run_id not in of_run:
                            of_run[event.run_id] = waiting.pop(0)
                        yield of_run[event.run_id], event
            except FashiontuiError as error:
                for number in waiting or numbers:
                    yield number, error

    def _beside(self, jobs: "Sequence[Job]") -> "Generator[tuple[int, Said]]":
        """Train in several processes, which share this one's cores."""
        from fashiontui.pool import Pool, pinned

        jobs = [pinned(job, self._workers) for job in jobs]
        with self._signals.noted():
            self._pool = self._pool or Pool(self._workers, self._images)
            with closing(self._pool.train(jobs, self._store, self._is_over)) as told:
                yield from told

    def _on(self, cluster: "Cluster", jobs: "Sequence[Job]") -> "Generator[tuple[int, Said]]":
        """Train on a cluster; nothing is continued there."""
        specs = [job for job in jobs if isinstance(job, RunSpec)]
        with (
            self._signals.noted(),
            closing(cluster.train(specs, self._images, self._store, self._is_over)) as told,
        ):
            yield from told

    def _is_over(self) -> bool:
        return self._signals.received is not None

    def _events(self, stack: "Sequence[Job]") -> Generator[Event, None, None]:
        """What training, or continuing, a job yields; or training several seeds at once."""
        from fashiontui.engine import choose_placement, find_device
        from fashiontui.engine.stacked import pays_on
        from fashiontui.runner import resume, run, run_stack

        job = stack[0]
        if isinstance(job, RunRecord):
            images = self._images_on(find_device(job.device))
            return resume(self._store.resume(job.id), images, self._store)
        device = find_device(job.device)
        images = self._images_on(device)
        placement = choose_placement(job, device, paths.measurements_file())
        specs = [one for one in stack if isinstance(one, RunSpec)]
        if len(specs) > 1 and pays_on(device):
            return run_stack(specs, images, placement, self._store)
        return run(job, images, placement, self._store)

    def _images_on(self, device: "torch.device") -> "Dataset":
        if str(device) not in self._on_device:
            self._on_device[str(device)] = self._images.to(device)
        return self._on_device[str(device)]

    def _take_in(self, number: int, event: Event, bars: RunBars) -> None:
        """Draw and print an event."""
        history = self._histories.setdefault(number, History())
        history.fold(event)
        if history.started:
            self._run_ids[self._before + number] = history.started.run_id
        if isinstance(event, TOLD):
            bars.draw(number, history)
            if self._events_to:
                print(json.dumps(event_object(event)), file=self._events_to, flush=True)
        if isinstance(event, RunFinished) and history.started:
            self.failed |= event.status in (Status.FAILED, Status.INTERRUPTED)
            bars.end_run(number, history.started.spec, history, event)
            del self._histories[number]

    def _refuse(self, spec: RunSpec, error: FashiontuiError, continued: bool) -> None:
        """Say why a job did not begin.

        Raises:
            FashiontuiError: the next would fare no better.
        """
        if continued and error.exit_code is ExitCode.USAGE:
            notice(self._console, str(error))  # another process took or deleted it
            return
        own = (ExitCode.RUN_FAILED, *((ExitCode.NO_DEVICE,) if continued else ()))
        if error.exit_code not in own:
            raise error
        self.failed = True
        notice(self._console, f"{spec.title} seed {spec.seed} failed: {error}")


def _stacks(jobs: "Sequence[Job]") -> Iterator[list[int]]:
    """The numbers of the jobs to train at once: consecutive seeds of one network, on CUDA."""
    from fashiontui.engine import find_device
    from fashiontui.engine.stacked import MOST, pays_on, stackable

    stack: list[int] = []
    for number, job in enumerate(jobs):
        if stack:
            first = jobs[stack[0]]
            if (
                isinstance(job, RunSpec)
                and isinstance(first, RunSpec)
                and len(stack) < MOST
                and stackable(first, job)
                and pays_on(find_device(job.device))
            ):
                stack.append(number)
                continue
            yield stack
        stack = [number]
    if stack:
        yield stack


def _print_results(
    dataset: str, records: Sequence[RunRecord], output: Output, judged: Verdict | None
) -> None:
    """What stdout gets at the end: documents of every run, or tables of the finished ones."""
    told = {"separation": verdict_object(judged)} if judged else {}
    match output:
        case "json":
            print(json.dumps(runs_document(dataset, records) | told, indent=2))
        case "jsonl" if judged:
            print(json.dumps({"event": "separation", **verdict_object(judged)}))
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
            print("\n\n".join(map(latex, every_table(found))))
        case "tables":
            _print_tables(found, drawn)


def _print_tables(found: Sequence[Result], drawn: Sequence[Conclusion]) -> None:
    console = stdout_console()
    for table in every_table(found):
        print_table(table)
    if drawn:
        console.print(Text("\nThe report's conclusions, from these runs"))
    for text in [*conclusion_lines(drawn), "", *notes(found)]:
        console.print(Text(text))
    if console.is_terminal:
        print_chart(found)
