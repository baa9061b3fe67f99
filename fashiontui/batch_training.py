"""What a batch trains: jobs one after another, beside each other, or on a cluster."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from fashiontui import paths
from fashiontui.domain.errors import ExitCode, FashiontuiError
from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted, Status
from fashiontui.domain.events import Progress as ProgressEvent
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.export.documents import event_object
from fashiontui.narration import notice
from fashiontui.progress import RunBars, run_bars
from fashiontui.signals import Signals

if TYPE_CHECKING:
    import torch

    from fashiontui.cluster import Cluster
    from fashiontui.data import Dataset
    from fashiontui.pool import Pool
    from fashiontui.runner import Job, Said
    from fashiontui.store import Store

TOLD = (RunStarted, ProgressEvent, EpochEnded, RunFinished)
"""Events that ``--jsonl`` prints; the others are for the screen."""


class Training:
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
