"""The leaderboard: every run, and the report's, as light rows that can be ranked and searched."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from math import fsum
from typing import NamedTuple

from fashiontui.domain.events import Status
from fashiontui.domain.history import History
from fashiontui.domain.ranking import Contestant, Rank, ranks
from fashiontui.domain.report import REPORT_MODELS, ReportModel
from fashiontui.domain.shapes import family_named
from fashiontui.domain.spec import TEST_IMAGES, VALIDATION_IMAGES, DatasetName
from fashiontui.domain.stats import mean_std, noise_floor, wilson_interval


class BoardRow(NamedTuple):
    """One stored run, several that differ by their seed alone, or one of the report's.

    Without histories and predictions; a tuple, because thousands are made at every reading. The
    first eight fields come from a run's spec.
    """

    title: str
    """The report's name of the network, or its family and shape."""
    arch: str
    shape: str
    """As the report writes it, such as 784-112-106-10."""
    weights: int
    budget: int | None
    recipe: str
    dataset: DatasetName
    configuration: str
    """What it has in common with runs of other seeds; empty for rows that are never grouped."""
    seed: int | None
    """None for the report's, which does not state it, and for several runs."""
    id: str
    """The run's id; ``report:`` and a name for the report's, ``seeds:`` and more for several."""
    status: Status | None
    """None for the report's."""
    created: datetime | None
    device: str
    epochs: int
    """Epochs finished so far."""
    val_accuracy: float | None = None
    """Of several runs the mean over seeds, as all figures are."""
    test_accuracy: float | None = None
    train_seconds: float | None = None
    images_per_second: float | None = None
    test_batch_std: float | None = None
    """The report's ±, over test batches; only its own rows have it."""
    study: str | None = None
    """Name of the study that the run is a trial of."""
    trial: int | None = None
    """Number of the trial in its study."""
    runs: tuple["BoardRow", ...] = ()
    """The runs that a row of several stands for, in the order of their seeds."""

    @property
    def is_report(self) -> bool:
        """Whether the report measured it, not this program."""
        return self.status is None

    @property
    def by_seed(self) -> dict[int, "BoardRow"]:
        """The run that counts for each seed: of several the last to begin."""
        return _by_seed(self.runs or (self,))

    @property
    def typical(self) -> "BoardRow":
        """The run itself; of several the one whose validation accuracy is nearest their mean."""
        mean = self.val_accuracy or 0.0
        nearest = (abs((run.val_accuracy or 0.0) - mean) for run in self.runs)
        return min(zip(nearest, self.runs, strict=True), default=(0.0, self))[1]

    @property
    def val_std(self) -> float | None:
        """Standard deviation of the validation accuracy over seeds; None for one seed."""
        return mean_std([run.val_accuracy or 0.0 for run in self.by_seed.values()])[1]

    @property
    def test_margin(self) -> float | None:
        """Half the width of the 95% Wilson interval of the test accuracy, in points."""
        if self.test_accuracy is None or self.is_report:
            return None
        images = TEST_IMAGES[self.dataset]
        low, high = wilson_interval(round(self.test_accuracy / 100 * images), images)
        return (high - low) / 2

    @property
    def contestant(self) -> Contestant:
        """What is ranked of a finished run, or of several."""
        by_seed = {seed: run.val_accuracy or 0.0 for seed, run in self.by_seed.items()}
        return Contestant(by_seed, VALIDATION_IMAGES[self.dataset])

    @property
    def haystack(self) -> str:
        """What a filter looks through."""
        ids = (run.id for run in self.runs or (self,))
        facts = (self.title, self.arch, self.shape, self.recipe, self.dataset, self.device, *ids)
        state = self.status.value if self.status else "report"
        trial = "" if self.trial is None else f"trial {self.trial} {self.study}"
        return " ".join((*facts, state, trial)).lower()

    def matches(self, typed: str) -> bool:
        """Whether every word typed occurs in the row."""
        haystack = self.haystack if typed else ""
        return all(word in haystack for word in typed.lower().split())


@dataclass(frozen=True)
class Board:
    """Every stored run, those of one spec as one row, and their ranks."""

    runs: dict[str, BoardRow] = field(default_factory=dict)
    """Every run by its id, the newest first."""
    entries: tuple[BoardRow, ...] = ()
    """The same with the finished runs of one spec as one row, which is where its newest was."""
    ranks: dict[str, Rank] = field(default_factory=dict)
    """Ranks of the entries that are finished, by id, on each data set of its own.

    The report's rows take none: they are not the same contest.
    """
    noise: dict[DatasetName, float] = field(default_factory=dict)
    """By how many points two runs differ whose seeds alone differ, on each data set that has
    several seeds of one spec: see ``noise_floor``."""


def board_of(runs: Iterable[BoardRow]) -> Board:
    """Group stored runs and rank what is finished. Tests over seeds load scipy.special.

    Args:
        runs: The newest first.
    """
    by_id = {run.id: run for run in runs}
    groups: dict[str, list[BoardRow]] = {}
    for run in by_id.values():
        finished = run.status is Status.FINISHED and run.val_accuracy is not None
        groups.setdefault(run.configuration if finished else f"run {run.id}", []).append(run)
    entries = tuple(group[0] if len(group) == 1 else _several(group) for group in groups.values())
    contest: dict[DatasetName, list[BoardRow]] = {}
    for row in entries:
        if row.status is Status.FINISHED and row.val_accuracy is not None:
            contest.setdefault(row.dataset, []).append(row)
    ranked: dict[str, Rank] = {}
    noise: dict[DatasetName, float] = {}
    for dataset, rows in contest.items():
        contestants = [row.contestant for row in rows]
        ranked |= zip((row.id for row in rows), ranks(contestants), strict=True)
        if floor := noise_floor([*one.by_seed.values()] for one in contestants):
            noise[dataset] = floor
    return Board(by_id, entries, ranked, noise)


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
        recipe=spec.recipe_title,
        configuration="",
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


def _several(runs: list[BoardRow]) -> BoardRow:
    """One row for runs that differ by their seed alone, the newest first."""
    newest = runs[0]
    counted = [*_by_seed(runs).values()]
    devices = {run.device for run in counted}
    return newest._replace(
        id=f"seeds:{newest.configuration}",
        seed=None,
        study=None,
        trial=None,
        device=newest.device if len(devices) == 1 else "several",
        val_accuracy=_mean([run.val_accuracy for run in counted]),
        test_accuracy=_mean([run.test_accuracy for run in counted]),
        train_seconds=_mean([run.train_seconds for run in counted]),
        images_per_second=_mean([run.images_per_second for run in counted]),
        runs=tuple(sorted(runs, key=lambda run: run.seed or 0)),  # of one seed the newest first
    )


def _by_seed(runs: Iterable[BoardRow]) -> dict[int, BoardRow]:
    """The first run of each seed."""
    counted: dict[int, BoardRow] = {}
    for run in runs:
        if run.seed is not None and run.seed not in counted:
            counted[run.seed] = run
    return counted


def _mean(figures: list[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return fsum(known) / len(known) if known else None


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
        configuration="",
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
