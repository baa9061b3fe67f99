"""The queue of runs: filled by the screen, drained by the training thread."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from threading import Condition

from msgspec import structs

from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DatasetName, RunSpec

_numbers = count(1)


@dataclass(frozen=True)
class StudyTurn:
    """A study that trains one trial, then waits for its next turn."""

    name: str
    trials: int | None
    """Trials of the study in all; None for no end."""
    target: float | None
    """Test accuracy that is asked for, in percent."""


class Turn(Enum):
    """What a study does."""

    RESTS = "rests"
    WAITS = "waits"
    """For its next turn."""
    TRAINS = "trains"
    PAUSES = "pauses"
    """After the trial under way."""
    STOPS = "stops"
    """At the next batch of the trial under way."""


@dataclass(frozen=True)
class Job:
    """One run that was asked for, or the next trial of a study."""

    number: int
    """Tells apart jobs with the same spec."""
    spec: RunSpec
    continues: str | None = None
    """Id of the stored run to continue; None begins a new one."""
    study: StudyTurn | None = None
    """The study whose next trial it is; ``spec`` is then one of its widest shape."""


class RunQueue:
    """Jobs in order, one of them under way. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: list[Job] = []
        self._current: Job | None = None
        self._ending: Job | None = None
        self._held = False
        self._closed = False
        self._pausing: set[str] = set()

    @property
    def waiting(self) -> tuple[Job, ...]:
        """Jobs that have not begun, the next one first."""
        with self._changed:
            return tuple(self._waiting)

    @property
    def current(self) -> Job | None:
        """The job under way."""
        with self._changed:
            return self._current

    @property
    def held(self) -> bool:
        """Whether no further job begins until ``resume``."""
        with self._changed:
            return self._held

    def add(self, runs: Iterable[RunSpec | RunRecord]) -> list[Job]:
        """Append runs to begin or to continue; asking for more is also a wish to go on.

        A run to be continued that waits already, or trains, is not added again.
        """
        present = {job.continues for job in (*self.waiting, self.current) if job}
        jobs = [
            Job(next(_numbers), run.spec, run.id)
            if isinstance(run, RunRecord)
            else Job(next(_numbers), run)
            for run in runs
            if not isinstance(run, RunRecord) or run.id not in present
        ]
        with self._changed:
            self._waiting += jobs
            self._held = False
            self._changed.notify_all()
        return jobs

    def add_study(self, turn: StudyTurn, spec: RunSpec) -> bool:
        """Append the next trial of a study, unless it waits or trains already.

        Args:
            turn: The study, and when it is over.
            spec: What stands for the trial until it is drawn.
        """
        with self._changed:
            self._pausing.discard(turn.name)
            present = [job for job in (*self._waiting, self._current) if job and job.study]
            if any(job.study and job.study.name == turn.name for job in present):
                return False
            self._waiting.append(Job(next(_numbers), spec, study=turn))
            self._held = False
            self._changed.notify_all()
            return True

    def again(self, job: Job) -> None:
        """Append the next trial of a job's study, unless that is to pause."""
        with self._changed:
            if job.study and job.study.name not in self._pausing:
                self._waiting.append(replace(job, number=next(_numbers)))

    def pause_study(self, name: str, at_once: bool) -> None:
        """Begin no further trial of a study.

        Args:
            name: Of the study.
            at_once: Whether to end the trial under way at its next batch, to be continued.
        """
        with self._changed:
            self._pausing.add(name)
            self._waiting = [j for j in self._waiting if not (j.study and j.study.name == name)]
            current = self._current
            if at_once and current and current.study and current.study.name == name:
                self._ending = current

    def turn_of(self, name: str) -> Turn:
        """What a study does."""
        with self._changed:
            current = self._current
            if current and current.study and current.study.name == name:
                if self._ending is current:
                    return Turn.STOPS
                return Turn.PAUSES if name in self._pausing else Turn.TRAINS
            waits = any(job.study and job.study.name == name for job in self._waiting)
            return Turn.WAITS if waits else Turn.RESTS

    def put_back(self, job: Job) -> None:
        """Return a job that could not begin to the front, and hold the queue."""
        with self._changed:
            self._waiting.insert(0, job)
            self._held = True

    def remove(self, number: int) -> None:
        """Take a waiting job out; nothing happens when it has begun meanwhile."""
        with self._changed:
            self._waiting = [job for job in self._waiting if job.number != number]

    def move(self, number: int, by: int) -> None:
        """Move a waiting job towards the front (``by`` < 0) or the end."""
        with self._changed:
            place = next((i for i, job in enumerate(self._waiting) if job.number == number), None)
            if place is not None:
                job = self._waiting.pop(place)
                self._waiting.insert(max(0, min(len(self._waiting), place + by)), job)

    def use_dataset(self, dataset: DatasetName) -> None:
        """Begin every waiting job on this data set: the one asked for is not to be had."""
        with self._changed:
            self._waiting = [
                job
                if job.continues or job.study
                else replace(job, spec=structs.replace(job.spec, dataset=dataset))
                for job in self._waiting
            ]

    def stop(self) -> None:
        """End the job under way at its next batch, and hold the rest."""
        with self._changed:
            self._ending = self._current
            self._held = bool(self._waiting)

    def skip(self) -> None:
        """End the job under way at its next batch; the next one begins."""
        with self._changed:
            self._ending = self._current
            self._held = False

    def hold(self) -> None:
        """Let no further job begin until ``resume``."""
        with self._changed:
            self._held = bool(self._waiting)

    def resume(self) -> None:
        """Let the next job begin."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def close(self) -> None:
        """End the job under way and hand out no more: the program is quitting."""
        with self._changed:
            self._closed = True
            self._ending = self._current
            self._changed.notify_all()

    def is_ending(self, job: Job) -> bool:
        """Whether this job is to end at its next batch."""
        with self._changed:
            return self._closed or self._ending is job

    def take(self) -> Job | None:
        """Wait for the next job and mark it as under way; None when the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._waiting and not self._held))
            if self._closed:
                return None
            self._current = self._waiting.pop(0)
            return self._current

    def done(self, job: Job) -> None:
        """The job under way is over."""
        with self._changed:
            if self._current is job:
                self._current = self._ending = None
