"""Runs that differ only by their seed, taken together as one result."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from msgspec import to_builtins

from fashiontui.domain.events import Status
from fashiontui.domain.ranking import Contestant, Rank, ranks
from fashiontui.domain.record import RunRecord
from fashiontui.domain.report import REPORT_MODELS, ReportModel
from fashiontui.domain.spec import VALIDATION_IMAGES, configuration
from fashiontui.domain.stats import mean_std, t_interval, wilson_interval


@dataclass(frozen=True)
class Result:
    """All finished runs of one spec, one a seed."""

    runs: tuple[RunRecord, ...]

    @property
    def seeds(self) -> list[int]:
        """The seeds it is over."""
        return [run.spec.seed for run in self.runs]

    @property
    def title(self) -> str:
        """What to call the network."""
        return self.runs[0].spec.title

    @property
    def arch(self) -> str:
        """Name of its family."""
        return self.runs[0].spec.arch

    @property
    def weights(self) -> int:
        """Number of trainable parameters."""
        return self.runs[0].spec.weights

    @property
    def report(self) -> ReportModel | None:
        """The report's row, when the network is one of its models and saw the same data."""
        spec = self.runs[0].spec
        return REPORT_MODELS.get(spec.model or "") if spec.dataset == "fashion-mnist" else None

    @property
    def val_accuracies(self) -> list[float]:
        """Validation accuracy of each seed's run, in percent."""
        return [run.val_accuracy or 0.0 for run in self.runs]

    @property
    def val_accuracy(self) -> float:
        """Mean validation accuracy over seeds, in percent."""
        return fmean(self.val_accuracies)

    @property
    def val_std(self) -> float | None:
        """Its standard deviation over seeds, in points; None for one seed."""
        return mean_std(self.val_accuracies)[1]

    @property
    def val_interval(self) -> tuple[float, float] | None:
        """95% t-interval of the mean validation accuracy over seeds; None for one seed."""
        return t_interval(self.val_accuracies)

    @property
    def test_accuracies(self) -> list[float]:
        """Test accuracy of each seed's run, in percent."""
        return [run.test_accuracy or 0.0 for run in self.runs]

    @property
    def test_accuracy(self) -> float:
        """Mean test accuracy over seeds, in percent."""
        return fmean(self.test_accuracies)

    @property
    def seed_std(self) -> float | None:
        """Standard deviation of the test accuracy over seeds, in points; None for one seed."""
        return mean_std(self.test_accuracies)[1]

    @property
    def seed_interval(self) -> tuple[float, float] | None:
        """95% t-interval of the mean test accuracy over seeds; None for one seed.

        It is about training anew, where ``interval`` is about other images.
        """
        return t_interval(self.test_accuracies)

    @property
    def batch_std(self) -> float:
        """The report's ±, averaged over seeds, in points."""
        return fmean(run.test_batch_std or 0.0 for run in self.runs)

    @property
    def interval(self) -> tuple[float, float]:
        """95% Wilson interval for the mean accuracy on the test images, in percent.

        It is about the images: how far another test set of the same size might differ. Seeds share
        their test images, so more seeds do not narrow it.
        """
        made = [run.test for run in self.runs if run.test]
        images = len(made[0].labels)
        return wilson_interval(round(fmean(sum(one.correct) for one in made)), images)

    @property
    def train_seconds(self) -> float:
        """Mean training and validation time of one run."""
        return fmean(run.train_seconds or 0.0 for run in self.runs)

    @property
    def contestant(self) -> Contestant:
        """What is ranked of it."""
        images = VALIDATION_IMAGES[self.runs[0].spec.dataset]
        return Contestant(dict(zip(self.seeds, self.val_accuracies, strict=True)), images)


def results(records: Iterable[RunRecord]) -> list[Result]:
    """Finished runs grouped by all but their seed, in order of first appearance.

    Of several runs of one seed the last to begin counts: they are no seeds more.
    """
    groups: dict[str, dict[int, RunRecord]] = {}
    for record in records:
        if record.status is Status.FINISHED:
            spec = to_builtins(record.spec)
            group = groups.setdefault(configuration(spec, record.precision), {})
            known = group.get(record.spec.seed)
            if known is None or known.created <= record.created:
                group[record.spec.seed] = record
    return [Result(tuple(group.values())) for group in groups.values()]


def ranked(found: Sequence[Result]) -> list[Rank]:
    """The rank of each result on its data set, in the given order."""
    found_ranks: dict[int, Rank] = {}
    for dataset in VALIDATION_IMAGES:
        places = [i for i, one in enumerate(found) if one.runs[0].spec.dataset == dataset]
        found_ranks |= zip(places, ranks([found[i].contestant for i in places]), strict=True)
    return [found_ranks[place] for place in range(len(found))]


def of_one_recipe(found: Sequence[Result]) -> list[Result]:
    """One result for each of the report's models, all of one recipe, so that they can be compared.

    It is the recipe under which most of them were trained, the first among equals; of several
    results of a model under it, such as with other epochs, the first is taken.
    """
    ours = [result for result in found if result.report]
    models = {(result.runs[0].spec.recipe_title, result.title) for result in ours}
    trained = Counter(recipe for recipe, _ in models)
    recipes = dict.fromkeys(result.runs[0].spec.recipe_title for result in ours)
    recipe = max(recipes, key=lambda name: trained[name], default=None)
    by_name: dict[str, Result] = {}
    for result in ours:
        if result.runs[0].spec.recipe_title == recipe:
            by_name.setdefault(result.title, result)
    return [by_name[name] for name in REPORT_MODELS if name in by_name]


def in_order(found: Iterable[Result]) -> list[Result]:
    """The report's models as its tables have them, then the others by their weights."""
    order = {name: number for number, name in enumerate(REPORT_MODELS)}
    return sorted(found, key=lambda result: (order.get(result.title, len(order)), result.weights))
