"""The headless front end: trains, narrates on stderr, prints results on stdout."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import structs
from rich.console import Console
from rich.text import Text

from fashiontui.batch_training import Training
from fashiontui.domain.conclusions import Conclusion, conclusions
from fashiontui.domain.errors import ExitCode, FashiontuiError
from fashiontui.domain.events import Status
from fashiontui.domain.record import RunRecord
from fashiontui.domain.results import Result, results
from fashiontui.domain.separation import Verdict, verdict
from fashiontui.domain.spec import DataChoice, RunSpec
from fashiontui.domain.sweep import standing_of
from fashiontui.export.documents import runs_csv, runs_document, verdict_object
from fashiontui.export.tables import (
    conclusion_lines,
    every_table,
    latex,
    markdown_document,
    notes,
)
from fashiontui.export.terminal import print_chart, print_table, stdout_console
from fashiontui.narration import download_bar, notice
from fashiontui.signals import Signals
from fashiontui.streams import for_results_alone

if TYPE_CHECKING:
    from fashiontui.cluster import Cluster
    from fashiontui.data import Dataset
    from fashiontui.runner import Job
    from fashiontui.store import Store

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
        from fashiontui.teachers import taught
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
            jobs = unfinished = [run for run in unfinished if run.spec.dataset == images.name]
        else:
            jobs = specs = [structs.replace(spec, dataset=images.name) for spec in specs]
        finished: list[str] = []
        if once and specs is not None:
            finished, jobs = left_to_do(specs, kept, continuable=cluster is None)
            if finished:
                notice(console, f"{len(finished)} of {len(specs)} runs are finished already.")
        with console.status("Asking the teachers"):
            if specs is None:
                images, jobs = _taught_where_they_can_be(images, unfinished, kept, console)
            else:
                asked_for = [job.spec if isinstance(job, RunRecord) else job for job in jobs]
                images = taught(images, asked_for, kept)
        workers = min(workers, len(jobs))
        events_to = stdout if output == "jsonl" else None
        training = Training(console, kept, images, signals, events_to, workers, cluster)
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


def _taught_where_they_can_be(
    images: "Dataset", records: Sequence[RunRecord], store: "Store", console: Console
) -> "tuple[Dataset, list[Job]]":
    """The images with what teachers answer, and the runs whose teachers could be asked."""
    from fashiontui.teachers import taught

    jobs: list[Job] = []
    for record in records:
        try:
            images = taught(images, [record.spec], store)
        except FashiontuiError as error:
            notice(console, f"run {record.id} is left as it is: {error}")
        else:
            jobs.append(record)
    return images, jobs


def _until_separated(training: Training, jobs: "Sequence[Job]") -> Verdict | None:
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
