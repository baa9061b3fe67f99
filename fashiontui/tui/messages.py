"""Everything the threads tell the app, and the widgets tell the screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from fashiontui.domain.board import Board
from fashiontui.domain.errors import ExitCode
from fashiontui.domain.events import Event
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DatasetName, RunSpec
from fashiontui.tui.queue import Job

if TYPE_CHECKING:  # SQLAlchemy is not needed to paint
    from fashiontui.domain.study import StudyView  # only those who tune wait for its settings
    from fashiontui.store.teachers import Teachers


@dataclass
class TorchLoaded(Message):
    """torch is imported, and these devices are really there, the best one first."""

    devices: tuple["Device", ...]


@dataclass(frozen=True)
class Device:
    """One device that can train."""

    name: str
    """cpu, cuda:0, mps."""
    title: str
    """What it calls itself."""
    memory_gib: float


@dataclass
class DataFound(Message):
    """The data set that runs will be trained on is there."""

    dataset: DatasetName
    place: Path | None
    """Folder of the archives; None for the sample set."""


@dataclass
class DataMissing(Message):
    """Fashion-MNIST lies in none of the folders, or is not usable there."""

    reason: str


@dataclass
class BoardLoaded(Message):
    """The stored runs were read."""

    board: Board


@dataclass
class Failed(Message):
    """Something went wrong that the user can mend; the sentence says how."""

    sentence: str
    code: ExitCode
    job: Job | None = None
    """The job it happened to, which did not train to its end."""


@dataclass
class JobBegan(Message):
    """The training thread took a job and prepares it."""

    job: Job


@dataclass
class RunEvent(Message, bubble=False):
    """Something happened in the run under way. Never replaced by a later one: charts need all."""

    job: Job
    event: Event


@dataclass
class JobOver(Message):
    """The job under way has ended, in whatever state."""

    job: Job
    stopped: bool
    """Whether it was ended early by the user."""


@dataclass
class RunsFetched(Message):
    """Whole stored runs, asked for by the screen."""

    records: tuple[RunRecord, ...]
    purpose: str
    """marked, pinned, details, predict, rerun, continue, deleted or restored: what they are for."""


@dataclass
class TeachersWanted(Message):
    """The form wants to know which runs can teach, and whether those can that it has."""


@dataclass
class TeachersRead(Message):
    """Runs that can teach, and what there is to say of those that were asked for."""

    offered: "list[Teachers]"
    """With those that were asked for, where they can teach."""
    asked: str
    """What settings call them; empty for none."""
    trouble: str
    """Why they cannot teach, in one sentence; empty where they can."""


@dataclass
class TeachersChosen(Message):
    """The user wants the network of the form to learn what these runs answer."""

    teachers: "Teachers"


@dataclass
class StudyRead(Message):
    """A study as it stands, and the names of all."""

    number: int
    """Of the reading: one that began later is newer, even if it ended sooner."""
    names: list[str]
    view: "StudyView | None"


@dataclass
class ImportancesRead(Message):
    """How much each parameter of a study matters."""

    study: str
    shares: dict[str, float] | None


@dataclass
class TrainRequested(Message):
    """The user wants these runs trained, or, where they are stored ones, continued."""

    runs: Sequence[RunSpec | RunRecord]


@dataclass
class Noted(Message):
    """A line for the log."""

    line: str
