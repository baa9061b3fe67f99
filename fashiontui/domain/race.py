"""Several models side by side, epoch by epoch or second by second, and whether a lead is real."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from msgspec import structs

from fashiontui.domain.events import EpochEnded
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.stats import mcnemar, paired_t, two_proportions

By = Literal["epochs", "seconds"]
VALIDATION_IMAGES = {"fashion-mnist": 6_000, "sample": 200}


@dataclass(frozen=True)
class Contestant:
    """One model trained one way, a run for each seed."""

    letter: str
    runs: tuple[RunRecord, ...]
    """One a seed, in their order."""

    @property
    def title(self) -> str:
        """What to call it: its network, and its recipe."""
        return f"{self.runs[0].spec.title} ({self.runs[0].spec.recipe_title})"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its seeds, ascending."""
        return tuple(run.spec.seed for run in self.runs)

    @property
    def length(self) -> int:
        """Epochs of its longest run so far."""
        return max((len(run.epochs) for run in self.runs), default=0)

    @property
    def seconds(self) -> float:
        """Training time of its longest run so far."""
        return max((run.epochs[-1].train_seconds for run in self.runs if run.epochs), default=0.0)

    def at(self, position: float, by: By) -> dict[int, EpochEnded]:
        """For each seed that has come so far, its newest epoch at a position."""
        found = {}
        for run in self.runs:
            passed = [epoch for epoch in run.epochs if _place(epoch, by) <= position + 1e-9]
            if passed:
                found[run.spec.seed] = passed[-1]
        return found

    def curve(self, by: By) -> list[tuple[float, float]]:
        """(position, validation accuracy), means over the seeds, for the epochs that all have."""
        common = min((len(run.epochs) for run in self.runs), default=0)
        columns = [[run.epochs[number] for run in self.runs] for number in range(common)]
        return [
            (fmean(_place(e, by) for e in column), fmean(e.val_accuracy for e in column))
            for column in columns
        ]


@dataclass(frozen=True)
class Standing:
    """One contestant at a position."""

    contestant: Contestant
    accuracy: float | None
    """Mean validation accuracy over its seeds, in percent; None before its first epoch."""
    epoch: float
    """Mean epoch its seeds have reached."""


@dataclass(frozen=True)
class Lead:
    """The first before the second."""

    points: float
    chance: float
    """That the first is truly better: one less half the two-sided p-value. With no prior opinion
    this is the posterior probability (Casella and Berger, J. Am. Stat. Assoc. 82, 1987)."""
    method: str
    """How it was found, in a sentence."""


def contestants(records: Iterable[RunRecord]) -> list[Contestant]:
    """Runs grouped by everything but their seed; of one seed the newest counts."""
    groups: dict[RunSpec, dict[int, RunRecord]] = {}
    for record in records:
        key = structs.replace(record.spec, seed=0)
        runs = groups.setdefault(key, {})
        known = runs.get(record.spec.seed)
        if known is None or known.created < record.created:
            runs[record.spec.seed] = record
    return [
        Contestant(chr(ord("a") + number), tuple(runs[seed] for seed in sorted(runs)))
        for number, runs in enumerate(groups.values())
    ]


def standings(field: Sequence[Contestant], position: float, by: By) -> list[Standing]:
    """Every contestant at a position, the best first; those that have not begun last."""
    found = []
    for contestant in field:
        reached = [*contestant.at(position, by).values()]
        accuracy = fmean(epoch.val_accuracy for epoch in reached) if reached else None
        epoch = fmean(epoch.epoch for epoch in reached) if reached else 0.0
        found.append(Standing(contestant, accuracy, epoch))
    return sorted(found, key=lambda one: -(one.accuracy if one.accuracy is not None else -1.0))


def lead(first: Contestant, second: Contestant, position: float, by: By) -> Lead | None:
    """The lead of one contestant over another at a position; None where one has not begun.

    Over two shared seeds or more, Student's paired t-test over the seeds. With one, the images
    decide: McNemar's exact test where both are at their end and their predictions are kept, else
    two proportions as if of different images, which is slower to see a difference.
    """
    a, b = first.at(position, by), second.at(position, by)
    shared = sorted({*a} & {*b})
    if not a or not b:
        return None
    if len(shared) > 1:
        tested = paired_t([a[s].val_accuracy for s in shared], [b[s].val_accuracy for s in shared])
        method = f"paired t-test over the {len(shared)} seeds that both have"
        return Lead(tested.difference, _chance(tested.difference, tested.p), method)
    points = _mean(a) - _mean(b)
    if shared and (paired := _paired_images(first, second, shared[0], a, b)) is not None:
        method = f"exact McNemar test on the same validation images, seed {shared[0]} alone"
        return Lead(points, _chance(points, paired), method)
    images = VALIDATION_IMAGES[first.runs[0].spec.dataset]
    p = two_proportions(_mean(a), _mean(b), images)
    more = "the end, where images are paired," if shared else "seeds in common"
    method = f"two proportions of {images:,} images, unpaired; {more} would tell more"
    return Lead(points, _chance(points, p), method)


def missing_seeds(field: Sequence[Contestant]) -> dict[str, list[int]]:
    """For each contestant's letter, the seeds that others have and it lacks."""
    all_seeds = sorted({seed for contestant in field for seed in contestant.seeds})
    lacking = {c.letter: [seed for seed in all_seeds if seed not in c.seeds] for c in field}
    return {letter: seeds for letter, seeds in lacking.items() if seeds}


def _paired_images(
    first: Contestant,
    second: Contestant,
    seed: int,
    a: dict[int, EpochEnded],
    b: dict[int, EpochEnded],
) -> float | None:
    """McNemar's p-value of two runs at their ends; None before, or without predictions."""
    pair = []
    for contestant, reached in ((first, a), (second, b)):
        [run] = [run for run in contestant.runs if run.spec.seed == seed]
        if run.validation is None or reached[seed].epoch < len(run.epochs):
            return None
        pair.append(run.validation)
    if pair[0].labels != pair[1].labels:
        return None
    return mcnemar(pair[0].correct, pair[1].correct)


def _mean(reached: dict[int, EpochEnded]) -> float:
    return fmean(epoch.val_accuracy for epoch in reached.values())


def _chance(points: float, p: float) -> float:
    return 1 - p / 2 if points >= 0 else p / 2


def _place(epoch: EpochEnded, by: By) -> float:
    return float(epoch.epoch) if by == "epochs" else epoch.train_seconds
