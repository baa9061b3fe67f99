"""The training thread: imports torch, then drains the queue until it is closed.

It touches no widget and never waits for the screen: ``post`` only appends to the app's message
queue. A thread cannot be killed, so it looks at the queue and at its worker between any two events.
"""

import gc
import logging
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from textual.message import Message
from textual.worker import get_current_worker

from fashiontui import paths
from fashiontui.domain.errors import DataError, ExitCode, FashiontuiError
from fashiontui.domain.events import Event, Scoring
from fashiontui.domain.recipe import NO_TEACHER
from fashiontui.domain.spec import DataChoice, DatasetName, RunSpec
from fashiontui.tui.library import Library
from fashiontui.tui.messages import (
    DataFound,
    DataMissing,
    Device,
    Failed,
    JobBegan,
    JobOver,
    Noted,
    RunEvent,
    TorchLoaded,
)
from fashiontui.tui.queue import Job, RunQueue, StudyTurn

if TYPE_CHECKING:
    import torch

    from fashiontui.data import Dataset
    from fashiontui.tuning import Study

Events = Generator[Event, None, None]
SCORING_SECONDS = 0.1
"""Least time between two news of how far scoring is: where it is quick there are none."""
Post = Callable[[Message], bool]
"""Hands a message to the app; safe from any thread."""

_log = logging.getLogger(__name__)


class Trainer:
    """What the one thread worker runs."""

    def __init__(
        self,
        queue: RunQueue,
        library: Library,
        data: DataChoice,
        folders: list[Path],
        post: Post,
    ) -> None:
        """Args:
        queue: Where the jobs come from.
        library: Holds the store runs are kept in.
        data: Which data set runs are trained on, as asked for at the start.
        folders: Where Fashion-MNIST may lie.
        post: Hands a message to the app.
        """
        self._queue = queue
        self._library = library
        self._data = data
        self._folders = folders
        self._post = post
        self._loaded: dict[tuple[DatasetName, str], Dataset] = {}

    def work(self) -> None:
        """Load torch, look for the data, then train what the queue holds until it is closed."""
        self._load_torch()
        look_for_data(self._data, self._folders, self._post)
        while (job := self._queue.take()) is not None:
            self._post(JobBegan(job))
            try:
                self._train(job)
            except FashiontuiError as error:
                self._give_up(job, str(error), error.exit_code)
            except Exception as error:
                # A lost device or a fault of this program: the app says so and lives on.
                _log.exception("Run failed")
                remedy = "see the log (7); the queue is held, press g to go on."
                self._give_up(job, f"{type(error).__name__}: {error}; {remedy}")

    def _load_torch(self) -> None:
        from fashiontui.engine.devices import available_devices, describe, memory_bytes

        gc.freeze()  # hundreds of thousands of objects that stay: looking through them takes long
        self._post(
            TorchLoaded(
                tuple(
                    Device(str(device), describe(device), memory_bytes(device) / 2**30)
                    for device in available_devices()
                )
            )
        )

    def _train(self, job: Job) -> None:
        """Train one job, posting each event; closing the generator is what stops it."""
        goes_on = False
        following = None
        if not self._is_ending(job):
            if job.study:
                following, goes_on = self._of_study(job.study, job.spec)
            else:
                following = self._of_run(job)
        if not (stopped := following is None):
            with closing(following) as events:
                told = monotonic()
                for event in events:
                    if not isinstance(event, Scoring) or monotonic() - told >= SCORING_SECONDS:
                        self._post(RunEvent(job, event))
                        told = monotonic()
                    if stopped := self._is_ending(job):
                        break
        self._queue.done(job)
        if goes_on and not stopped:
            self._queue.again(job)
        self._post(JobOver(job, stopped))

    def _of_run(self, job: Job) -> Events | None:
        """What a run tells that begins or goes on; None when it is ended before."""
        from fashiontui.engine import choose_placement, find_device
        from fashiontui.runner import resume, run
        from fashiontui.teachers import taught

        store = self._library.store()
        continued = store.get(job.continues) if job.continues else None
        device = find_device(continued.device if continued else job.spec.device)
        images = self._images(job.spec.dataset, device)
        if job.spec.settings.teacher not in (NO_TEACHER, *images.answers):
            self._note("Asking the teacher about every training image.")
            images = taught(images, [job.spec], store, partial(self._is_ending, job))
            self._loaded[job.spec.dataset, str(device)] = images
        if self._is_ending(job):
            return None
        if continued:
            return resume(store.resume(continued.id), images, store)
        known = paths.measurements_file()
        placement = choose_placement(job.spec, device, known, spare_cores=1)  # the screen's
        return run(job.spec, images, placement, store)

    def _of_study(self, turn: StudyTurn, spec: RunSpec) -> tuple[Events, bool]:
        """What the next trial of a study tells, or the scoring of its chosen one at the end.

        Returns:
            The events, and whether there may be a further trial.
        """
        from fashiontui.engine import find_device
        from fashiontui.tuning import Limits, next_trial

        study = self._library.studies().open(turn.name)
        images = self._images(spec.dataset, find_device(spec.device))
        limits = Limits(turn.trials, turn.target)
        known = paths.measurements_file()
        if (trial := next_trial(study, limits, images, known, spare_cores=1)) is not None:
            return trial, True
        return self._scored(study, turn, images), False

    def _scored(self, study: "Study", turn: StudyTurn, images: "Dataset") -> Events:
        """Score the chosen trial, and say what it came to."""
        from fashiontui.tuning import score_chosen

        found = yield from score_chosen(study, turn.target, images)
        if found is None:
            self._note(f"Study {turn.name} has no trial to choose.")
            return
        trial, record = found
        self._note(
            f"Study {turn.name} is over: trial {trial.number} was chosen on validation, "
            f"{record.val_accuracy:.2f}%; its test accuracy is {record.test_accuracy:.2f}%."
        )

    def _is_ending(self, job: Job) -> bool:
        return self._queue.is_ending(job) or get_current_worker().is_cancelled

    def _images(self, name: DatasetName, device: "torch.device") -> "Dataset":
        """The data set on a device; it is loaded once and stays there."""
        from fashiontui.data import fashion_mnist, load

        if (name, str(device)) not in self._loaded:
            if name == "fashion-mnist" and fashion_mnist.find(self._folders) is None:
                # Loading would download 31 MB unasked, and without showing how far it is.
                raise DataError("Fashion-MNIST is not on this machine yet; press d to get it.")
            self._note(f"Loading {name} onto {device}.")
            on_cpu = load(name, self._folders, self._note)
            self._loaded[name, str(device)] = on_cpu.to(device)
        return self._loaded[name, str(device)]

    def _note(self, text: str) -> None:
        self._post(Noted(text))

    def _give_up(self, job: Job, sentence: str, code: ExitCode = ExitCode.RUN_FAILED) -> None:
        """Say why a job cannot train; where the next would fare no better, hold them all."""
        self._queue.done(job)
        if code in (ExitCode.NO_DATA, ExitCode.NO_STORE):
            self._queue.put_back(job)
        else:
            self._queue.hold()
        self._post(Failed(sentence, code, job))
        self._post(JobOver(job, stopped=False))


def look_for_data(choice: DataChoice, folders: list[Path], post: Post) -> None:
    """Tell the app whether the data set that was asked for is there."""
    if choice == "sample":
        post(DataFound("sample", None))
        return
    try:
        from fashiontui.data import fashion_mnist

        place = fashion_mnist.find(folders)
    except DataError as error:
        post(DataMissing(str(error)))
        return
    if place is None:
        post(DataMissing("Fashion-MNIST is not on this machine yet."))
    else:
        post(DataFound("fashion-mnist", place))
