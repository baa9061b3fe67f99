"""The story of one run so far, folded from its events; both front ends draw from it."""

from dataclasses import dataclass, field

from fashiontui.domain.events import (
    EpochEnded,
    Event,
    FirstLayer,
    Progress,
    RunFinished,
    RunStarted,
    Scoring,
    Status,
)

MAX_PROGRESS = 2_000
"""Most progress events kept: more than any screen has columns, and a bound for long runs."""


@dataclass
class History:
    """What was seen of one run, in order; progress is thinned when a run is long."""

    started: RunStarted | None = None
    progress: list[Progress] = field(default_factory=list)
    losses: list[tuple[float, float]] = field(default_factory=list)
    """Epoch and training loss of each progress event: made once, and drawn many times."""
    epochs: list[EpochEnded] = field(default_factory=list)
    first_layer: FirstLayer | None = None
    """As the last epoch left it."""
    scoring: Scoring | None = None
    """How far validation or the test is, while it lasts."""
    finished: RunFinished | None = None

    def fold(self, event: Event) -> None:
        """Take in the run's next event."""
        self.scoring = event if isinstance(event, Scoring) else None
        match event:
            case RunStarted():
                self.started = event
                self.epochs = [*event.epochs]
            case Progress():
                self.progress.append(event)
                self.losses.append((event.epoch, event.loss))
                if len(self.progress) > MAX_PROGRESS:
                    self.progress[:-1] = self.progress[:-1:2]
                    self.losses[:-1] = self.losses[:-1:2]
            case EpochEnded():
                self.epochs.append(event)
            case FirstLayer():
                self.first_layer = event
            case RunFinished():
                self.finished = event

    @property
    def status(self) -> Status:
        """State of the run."""
        return self.finished.status if self.finished else Status.RUNNING

    @property
    def under_way(self) -> bool:
        """Whether the run has begun and not ended."""
        return self.started is not None and self.finished is None

    @property
    def steps_done(self) -> int:
        """Optimiser steps done so far, as last heard."""
        if self.finished and self.finished.status is Status.FINISHED:
            return self.steps
        last_progress = self.progress[-1].step if self.progress else 0
        if self.started is None:
            return last_progress
        # Where steps are quick, whole epochs pass between two progress events.
        per_epoch = self.steps // self.started.spec.settings.epochs
        return max(last_progress, per_epoch * len(self.epochs))

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run; 0 before it started."""
        return self.started.steps if self.started else 0

    @property
    def train_seconds(self) -> float:
        """Training and validation time so far, as last heard."""
        last_progress = self.progress[-1].train_seconds if self.progress else 0.0
        last_epoch = self.epochs[-1].train_seconds if self.epochs else 0.0
        return max(last_progress, last_epoch)

    @property
    def seconds_left(self) -> float | None:
        """Expected training and validation time still to come; None before the first news."""
        if self.finished:
            return 0.0
        if not self.steps_done:
            return None
        return self.train_seconds * (self.steps - self.steps_done) / self.steps_done
