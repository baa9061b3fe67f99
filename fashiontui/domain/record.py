"""A stored run, as everything that reads the store sees it."""

from dataclasses import dataclass
from datetime import datetime

from fashiontui.domain.events import EpochEnded, FirstLayer, Predictions, Status
from fashiontui.domain.report import REPORT_BATCH
from fashiontui.domain.spec import Kernels, Precision, RunSpec
from fashiontui.domain.stats import batch_std, wilson_interval


@dataclass(frozen=True)
class RunRecord:
    """One run, running or over: what was asked, where it ran, what came of it."""

    id: str
    spec: RunSpec
    status: Status
    created: datetime
    """When it began, in UTC."""
    device: str
    device_name: str
    precision: Precision
    threads: int
    versions: dict[str, str]
    kernels: Kernels | None = None
    """None in runs of early versions, which kept no note of it."""
    epochs: tuple[EpochEnded, ...] = ()
    cause: str | None = None
    train_seconds: float | None = None
    total_seconds: float | None = None
    test_accuracy: float | None = None
    weights_sha256: str | None = None
    validation: Predictions | None = None
    """Left out of listings, as ``test`` is: they are by far the largest part of a run."""
    test: Predictions | None = None
    inside: tuple[FirstLayer, ...] = ()
    """What the network looked like after its epochs; left out of listings, as predictions are.
    None were kept by early versions; of long runs some lack their pictures."""
    study: str | None = None
    """Name of the study that the run is a trial of."""
    trial: int | None = None
    """Number of the trial in its study."""

    @property
    def last(self) -> EpochEnded | None:
        """The last finished epoch."""
        return self.epochs[-1] if self.epochs else None

    @property
    def val_accuracy(self) -> float | None:
        """Validation accuracy after the last epoch, in percent."""
        return self.last.val_accuracy if self.last else None

    @property
    def images_per_second(self) -> float | None:
        """Training images per second over the whole run, validation not counted."""
        if not self.epochs:
            return None
        return len(self.epochs) / sum(1 / epoch.images_per_second for epoch in self.epochs)

    @property
    def test_batch_std(self) -> float | None:
        """The report's ±: standard deviation of accuracy over batches of 256, in points."""
        return batch_std(self.test.correct, REPORT_BATCH) if self.test else None

    @property
    def test_interval(self) -> tuple[float, float] | None:
        """95% Wilson interval of the test accuracy, in percent."""
        if self.test is None:
            return None
        return wilson_interval(sum(self.test.correct), len(self.test.labels))


@dataclass(frozen=True)
class RunStanding:
    """How a run stands."""

    status: Status
    test_accuracy: float | None
    """In percent; None before it is scored."""
