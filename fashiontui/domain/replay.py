"""A stored run as it was lived through: what was known of it at any second."""

from bisect import bisect_right
from dataclasses import dataclass

from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import UNFINISHED, Progress, RunFinished, RunStarted, Status
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord

TRAINING_IMAGES = {"fashion-mnist": 54_000, "sample": 1_800}
"""What is left of each data set's training images when a tenth is set aside for validation."""
FASTEST, SLOWEST = 4096.0, 0.25
LASTS = 20.0
"""Seconds that a replay lasts at the speed it begins with, or a little less."""


@dataclass(frozen=True)
class Replay:
    """What a run told at each second of its training and validation.

    Epochs are kept, not what was told within them: between two the clock and the bar move, the
    curves do not.
    """

    record: RunRecord

    @property
    def seconds(self) -> float:
        """How long it trained."""
        return self.record.epochs[-1].train_seconds

    @property
    def speed(self) -> float:
        """The power of two at which it lasts ``LASTS`` seconds or less."""
        speed = SLOWEST
        while speed < FASTEST and self.seconds / speed > LASTS:
            speed *= 2
        return max(1.0, speed)

    def at(self, seconds: float) -> History:
        """The history as it was after so many seconds; it is over after the last."""
        record, ends = self.record, [epoch.train_seconds for epoch in self.record.epochs]
        done = bisect_right(ends, seconds)
        epochs = [*record.epochs[:done]]
        settings = record.spec.settings
        images = TRAINING_IMAGES[record.spec.dataset]
        per_epoch = images // min(settings.batch_size, images)
        history = History(
            started=RunStarted(
                record.id, record.spec, record.spec.weights, per_epoch * settings.epochs,
                record.device, record.device_name, record.precision, record.threads,
                record.kernels or "torch", record.versions,
            ),
            epochs=epochs,
        )  # fmt: skip
        seen = [one for one in record.inside if one.epoch <= done and one.count]
        history.first_layer = seen[-1] if seen else None
        if done == len(ends):
            history.finished = self._end()
            return history
        began = ends[done - 1] if done else 0.0
        into = (seconds - began) / max(1e-9, ends[done] - began)
        under_way = record.epochs[done]
        history.progress = [
            Progress(
                record.id, round(per_epoch * (done + into)), done + into, under_way.train_loss,
                under_way.lr, under_way.images_per_second, seconds,
            )
        ]  # fmt: skip
        return history

    def end_of_epoch(self, seconds: float, by: int) -> float:
        """When the next epoch ended (``by`` 1), or the one before this moment (-1); 0 at first."""
        ends = [0.0, *(epoch.train_seconds for epoch in self.record.epochs)]
        if by > 0:
            return next((end for end in ends if end > seconds), ends[-1])
        return next((end for end in reversed(ends) if end < seconds), 0.0)

    def _end(self) -> RunFinished:
        record = self.record
        status = Status.INTERRUPTED if record.status is Status.RUNNING else record.status
        return RunFinished(
            record.id, status, record.cause, record.train_seconds or self.seconds,
            record.total_seconds or self.seconds, record.validation, record.test,
            record.weights_sha256,
        )  # fmt: skip


def replay_of(record: RunRecord) -> Replay:
    """The replay of a run.

    Raises:
        UsageError: it has no finished epoch to be replayed.
    """
    if not record.epochs:
        remedy = "; c continues it" if record.status in UNFINISHED else ""
        raise UsageError(
            f"Run {record.id} ({record.spec.title}, {record.status.value}) has no finished epoch "
            f"to replay{remedy}."
        )
    return Replay(record)
