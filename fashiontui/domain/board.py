"""The leaderboard: every run, and the report's, as light rows that can be ranked and searched."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from fashiontui.domain.events import Status
from fashiontui.domain.history import History
from fashiontui.domain.report import REPORT_MODELS, ReportModel
from fashiontui.domain.shapes import family_named
from fashiontui.domain.spec import DatasetName
from fashiontui.domain.stats import wilson_interval


@dataclass(frozen=True)
class BoardRow:
    """One stored run, or one of the report's, without history and predictions."""

    id: str
    """The run's id; ``report:`` and a name for the report's."""
    title: str
    """The report's name of the network, or its family and shape."""
    arch: str
    shape: str
    """As the report writes it, such as 784-112-106-10."""
    weights: int
    budget: int | None
    recipe: str
    seed: int | None
    """None for the report's, which does not state it."""
    dataset: DatasetName
    status: Status | None
    """None for the report's."""
    created: datetime | None
    device: str
    epochs: int
    """Epochs finished so far."""
    val_accuracy: float | None = None
    test_accuracy: float | None = None
    test_images: int | None = None
    """How many images the test accuracy is over; None where that is not known."""
    train_seconds: float | None = None
    images_per_second: float | None = None
    test_batch_std: float | None = None
    """The report's ±, over test batches; only its own rows have it."""

    @property
    def is_report(self) -> bool:
        """Whether the report measured it, not this program."""
        return self.status is None

    @cached_property
    def test_margin(self) -> float | None:
        """Half the width of the 95% Wilson interval of the test accuracy, in points."""
        if self.test_accuracy is None or not self.test_images:
            return None
        correct = round(self.test_accuracy / 100 * self.test_images)
        low, high = wilson_interval(correct, self.test_images)
        return (high - low) / 2

    @cached_property
    def haystack(self) -> str:
        """What a filter looks through."""
        facts = (self.title, self.arch, self.shape, self.recipe, self.dataset, self.device, self.id)
        state = self.status.value if self.status else "report"
        return " ".join((*facts, state)).lower()

    def matches(self, typed: str) -> bool:
        """Whether every word typed occurs in the row."""
        return all(word in self.haystack for word in typed.lower().split())


def live_row(history: History) -> BoardRow:
    """The run under way as a row of the board."""
    started = history.started
    assert started is not None
    spec, last = started.spec, history.epochs[-1] if history.epochs else None
    return BoardRow(
        id=started.run_id,
        title=spec.title,
        arch=spec.arch,
        shape=spec.family.describe(spec.shape),
        weights=started.weights,
        budget=spec.budget,
        recipe=spec.recipe,
        seed=spec.seed,
        dataset=spec.dataset,
        status=history.status,
        created=None,
        device=started.device,
        epochs=len(history.epochs),
        val_accuracy=last.val_accuracy if last else None,
        train_seconds=history.train_seconds,
        images_per_second=last.images_per_second if last else None,
    )


def report_rows() -> list[BoardRow]:
    """The report's seven models as rows."""
    return [_report_row(model) for model in REPORT_MODELS.values()]


def ranked(rows: Iterable[BoardRow]) -> dict[str, int]:
    """Rank by validation accuracy of the finished runs on one data set, by id.

    The test accuracy would be the wrong judge: choosing by it makes it a validation accuracy. The
    report's rows take no rank: they are not the same contest.
    """
    contest = [
        row for row in rows if row.status is Status.FINISHED and row.val_accuracy is not None
    ]
    best_first = sorted(contest, key=lambda row: -(row.val_accuracy or 0.0))
    return {row.id: rank for rank, row in enumerate(best_first, start=1)}


def _report_row(model: ReportModel) -> BoardRow:
    family = family_named(model.arch)
    return BoardRow(
        id=f"report:{model.name}",
        title=model.name,
        arch=model.arch,
        shape=family.describe(model.shape),
        weights=family.weights(model.shape),
        budget=model.budget,
        recipe="the report's",
        seed=None,
        dataset="fashion-mnist",
        status=None,
        created=None,
        device="–",
        epochs=25,
        val_accuracy=model.val_accuracy,
        test_accuracy=model.test_accuracy,
        train_seconds=model.train_seconds,
        test_batch_std=model.test_batch_std,
    )
