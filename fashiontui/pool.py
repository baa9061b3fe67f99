"""Worker processes that train beside each other; this process alone writes to the store.

Each worker imports torch once, maps the data set that all of them share, and has a pipe of its own:
one that is killed takes nobody's lock along.
"""

import logging
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs
from safetensors import SafetensorError

from fashiontui.data import Dataset
from fashiontui.data.mapped import write_mapped
from fashiontui.domain.errors import (
    CheckpointError,
    FashiontuiError,
    StoreError,
    TrainingError,
    UsageError,
)
from fashiontui.domain.events import Event, RunFinished, Status
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DatasetName
from fashiontui.engine.devices import usable_cores
from fashiontui.runner import Job, Keeper, Said
from fashiontui.signals import unheard
from fashiontui.store import Store
from fashiontui.store.store import new_run_id
from fashiontui.worker import Message, Task, work

LOOK_SECONDS = 0.1
"""How often it is looked whether to stop while no worker tells anything."""
STOP_SECONDS = 1.2
"""How long workers get to stop between two batches and to hand over how far they are."""

_log = logging.getLogger(__name__)


def pinned(job: Job, workers: int) -> Job:
    """The job with a worker's share of the cores as its threads, where it leaves them open.

    Threads of several processes that wait for each other's cores slow each other down manyfold.
    """
    if isinstance(job, RunRecord) or job.threads is not None:
        return job
    return structs.replace(job, threads=max(1, usable_cores() // workers))


class Pool:
    """A number of worker processes, each with torch and the data set at hand."""

    def __init__(self, workers: int, data: Dataset) -> None:
        """Start the processes; this does not wait until they have loaded torch.

        Args:
            workers: How many.
            data: On any device; each worker moves it to the one it trains on.

        Raises:
            TrainingError: the data set cannot be shared.
        """
        self._data = data
        self._folder = TemporaryDirectory(prefix="fashiontui-")
        self._images = Path(self._folder.name) / "images.safetensors"
        try:
            self._workers = [self._started(_Worker()) for _ in range(workers)]
        except BaseException:
            self._folder.cleanup()
            raise

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.kill()
        self._folder.cleanup()

    def train(
        self, jobs: Sequence[Job], store: Store, stopping: Callable[[], bool] = lambda: False
    ) -> Generator[tuple[int, Said], None, None]:
        """Train jobs, each begun as soon as a worker is free; every event is stored first.

        A run whose process is killed ends as interrupted, and the others go on. Closing the
        generator stops every run between two batches, with a checkpoint to continue from.

        Args:
            jobs: What to train, or to continue.
            store: Where the runs are kept.
            stopping: Looked at all the time; once it is true, the runs are stopped.

        Yields:
            The number of a job, and what it says.

        Raises:
            StoreError: the store cannot be written; no run can go on.
            TrainingError: no worker process lives long enough to train.
        """
        longest_first = sorted(enumerate(jobs), key=lambda job: _effort(job[1]), reverse=True)
        waiting = deque(longest_first)  # else one worker trains the longest while the others idle
        try:
            while (waiting or self._busy()) and not stopping():
                for worker in self._workers:
                    if waiting and not worker.lives:
                        self._started(worker)
                    if waiting and worker.is_free:
                        number, job = waiting.popleft()
                        yield number, None
                        try:
                            worker.begin(number, job, store)
                        except UsageError as error:  # another process took or deleted the run
                            yield number, error
                for worker in self._speaking(LOOK_SECONDS):
                    of_job = worker.number
                    said = worker.hear()
                    if of_job is not None and said is not None:
                        yield of_job, said
                self._leave_out_stillborn()
                if all(worker.is_ready for worker in self._workers):  # each has the file mapped
                    self._remove_file()
        finally:
            self._stop()

    def _started(self, worker: "_Worker") -> "_Worker":
        """Start a worker's process, with a file of the images to map."""
        try:
            if not self._images.exists():
                write_mapped(self._data, self._images)
        except (OSError, SafetensorError) as error:
            raise TrainingError(
                f"Cannot write the images for worker processes to {self._images.parent} ({error}); "
                "free some space, or name another folder with TMPDIR."
            ) from error
        worker.start(self._images, self._data.name)
        return worker

    def _remove_file(self) -> None:
        """Let go of the file's name, so that nothing is left behind however this process ends."""
        with suppress(OSError):  # not before all have closed it, on Windows
            self._images.unlink(missing_ok=True)

    def _busy(self) -> "list[_Worker]":
        return [worker for worker in self._workers if worker.number is not None]

    def _speaking(self, seconds: float) -> "list[_Worker]":
        """Workers that have something to say, or died, waited for so long at most."""
        spoken = wait([worker.connection for worker in self._workers if worker.lives], seconds)
        return [worker for worker in self._workers if worker.connection in spoken]

    def _leave_out_stillborn(self) -> None:
        """Do without workers that died before they were ready: others would fare no better."""
        for worker in [worker for worker in self._workers if not (worker.lives or worker.is_ready)]:
            _log.warning("A worker process could not start: %s.", worker.epitaph)
            self._workers.remove(worker)
            if not self._workers:
                raise TrainingError(
                    f"No worker process could start: {worker.epitaph}; train without --jobs."
                )

    def _stop(self) -> None:
        """Stop and keep what trains; whoever does not answer in time is killed.

        Raises:
            StoreError: a run could not be kept.
        """
        failed: list[StoreError] = []
        for worker in self._busy():
            worker.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        while (busy := self._busy()) and (left := deadline - time.monotonic()) > 0:
            for worker in [worker for worker in self._speaking(left) if worker in busy]:
                try:
                    worker.hear()
                except StoreError as error:
                    failed.append(error)
        for worker in self._busy():
            try:
                worker.abandon()
            except StoreError as error:
                failed.append(error)
        if failed:
            raise failed[0]


class _Worker:
    """One process of the pool, and the run it trains."""

    def start(self, images: Path, name: DatasetName) -> None:
        """Start the process, or another one in its place.

        Args:
            images: A file of ``write_mapped``, there until the worker is ready.
            name: The data set it holds.
        """
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, images, name), daemon=True)
        with unheard():
            self._process.start()
        theirs.close()
        self.lives = True
        self.is_ready = False
        """Whether it has loaded what it needs."""
        self.number: int | None = None
        """Number of the job it has, if it has one."""
        self._run_id = ""
        self._keeper: Keeper | None = None

    @property
    def is_free(self) -> bool:
        """Whether it waits for a job."""
        return self.lives and self.is_ready and self.number is None

    @property
    def epitaph(self) -> str:
        """How the process ended."""
        self._process.join(1)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"it was killed by {signal.Signals(-code).name}"
        return f"it ended with exit code {code}"

    def begin(self, number: int, job: Job, store: Store) -> None:
        """Hand it a job.

        Raises:
            UsageError: the run to be continued is not to be had.
        """
        if isinstance(job, RunRecord):
            job = store.resume(job.id)
            task = Task(job.id, job, store.checkpoints.find(job.id))
            self._keeper = Keeper(store, job)
        else:
            task = Task(new_run_id(), job)
            self._keeper = Keeper(store)
        self.number, self._run_id = number, task.run_id
        self._send(task)

    def hear(self) -> Said:
        """Take in one message, or that it has died; keep it, then return what it means.

        Returns:
            None where nobody need know.

        Raises:
            StoreError: the store cannot be written.
        """
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            return self._buried()
        said, checkpoint = message
        if said is None or self._keeper is None:
            self.is_ready = True
            return None
        was_over = self._keeper.over  # it may go on a little after its run was refused
        if isinstance(said, FashiontuiError | RunFinished):
            self.number = None
        if isinstance(said, FashiontuiError):
            self._keeper.give_up()
            return None if was_over else said
        return None if was_over else self._kept(self._keeper, said, checkpoint)

    def ask_to_stop(self) -> None:
        """Let it end its run at the next batch, and say how far it is."""
        self._send(self._run_id)

    def abandon(self) -> None:
        """End a run whose process does not answer; the last epoch's checkpoint stays.

        Raises:
            StoreError: the store cannot be written.
        """
        self.kill()
        self.number = None
        if self._keeper and self._keeper.begun:
            self._keeper.end(Status.STOPPED)
        elif self._keeper:
            self._keeper.give_up()

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join(1)
        self.connection.close()
        self.lives = False

    def _kept(self, keeper: Keeper, event: Event, checkpoint: bytes | None) -> Said:
        try:
            return keeper.keep(event, lambda: checkpoint)
        except CheckpointError as error:
            self.ask_to_stop()
            if keeper.begun:
                return keeper.end(Status.FAILED, str(error))
            keeper.give_up()
            return error

    def _buried(self) -> Said:
        """What a process leaves that died: a run that can be continued, if it had one."""
        cause = f"The process that trained it is gone: {self.epitaph}."
        self.kill()
        busy, self.number = self.number is not None, None
        if self._keeper is None or not busy or self._keeper.over:
            return None
        if self._keeper.begun:
            return self._keeper.end(Status.INTERRUPTED, cause)
        self._keeper.give_up()
        return TrainingError(cause)

    def _send(self, message: Task | str) -> None:
        with suppress(OSError):  # it has died, which is heard next
            self.connection.send(message)


def _effort(job: Job) -> int:
    """What a run costs, in multiply-adds: those of an image by its epochs."""
    spec = job.spec if isinstance(job, RunRecord) else job
    return spec.settings.epochs * spec.family.multiply_adds(spec.shape)
