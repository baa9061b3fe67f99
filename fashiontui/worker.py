"""What a worker process does: it trains what it is handed, and tells what comes of it.

Its other end is ``pool.py``. It writes nothing itself, and leaves when that end has gone.
"""

import os
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from filelock import FileLock

from fashiontui import paths
from fashiontui.data import Dataset
from fashiontui.data.mapped import read_mapped
from fashiontui.domain.errors import FashiontuiError
from fashiontui.domain.events import Event, Scoring
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DatasetName
from fashiontui.engine import TrainingState, choose_placement, find_device
from fashiontui.engine.training import (
    checkpoint_beside,
    events_of,
    new_state,
    restored_state,
    stopped,
)
from fashiontui.runner import Job


@dataclass(frozen=True)
class Task:
    """What a worker is handed; the id of its run, sent later, asks to stop it."""

    run_id: str
    job: Job
    checkpoint: Path | None = None
    """Where to continue from."""


Message = tuple[Event | FashiontuiError | None, bytes | None]
"""What a worker sends: None once it is ready, then the events of each task, each with the file to
keep beside it, or why the task could not begin."""


def work(connection: Connection, images: Path, name: DatasetName) -> None:
    """Train one task after another, until nobody is there to be told.

    Args:
        connection: Where tasks come from and messages go to.
        images: A file of ``write_mapped``.
        name: The data set it holds.
    """
    try:
        trainer = _Trainer(images, name)
        connection.send((None, None))
        while True:
            message = connection.recv()
            if isinstance(message, Task):
                _train(message, trainer, connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)  # without Python's farewell, which takes over a second once torch is loaded


class _Trainer:
    """Begins runs, with the data set at hand on every device that was asked for."""

    def __init__(self, images: Path, name: DatasetName) -> None:
        self._on_cpu = read_mapped(images, name)
        self._on_device: dict[str, Dataset] = {}
        self._one_at_a_time = FileLock(images.with_suffix(".lock"), poll_interval=0.01)

    def begin(self, task: Task) -> tuple[TrainingState, Dataset]:
        """The state to train from, and the data to train on.

        Raises:
            FashiontuiError: the run cannot begin.
        """
        if isinstance(task.job, RunRecord):
            data = self._on(task.job.device)
            return restored_state(task.job, task.checkpoint, data), data
        device = find_device(task.job.device)
        with self._one_at_a_time:  # seeds of one network shall be placed alike
            placement = choose_placement(task.job, device, paths.measurements_file())
        return new_state(task.job, placement), self._on(str(device))

    def _on(self, device: str) -> Dataset:
        if device not in self._on_device:
            self._on_device[device] = self._on_cpu.to(find_device(device))
        return self._on_device[device]


def _train(task: Task, trainer: _Trainer, connection: Connection) -> None:
    """Train a task to its end, or until its id comes in."""
    try:
        state, data = trainer.begin(task)
        with closing(events_of(task.run_id, state, data)) as events:
            for event in events:
                if not isinstance(event, Scoring):
                    connection.send((event, checkpoint_beside(event, state)))
                if connection.poll() and connection.recv() == task.run_id:
                    break
            else:
                return
        end = stopped(task.run_id, state)
        connection.send((end, checkpoint_beside(end, state)))
    except FashiontuiError as error:
        connection.send((error, None))
