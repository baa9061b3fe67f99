"""Runs that differ only by their seed, taken together as one result."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from fashiontui.domain.events import Status
from fashiontui.domain.record import RunRecord
from fashiontui.domain.report import REPORT_MODELS, ReportModel
from fashiontui.domain.stats import mean_std, wilson_interval


@dataclass(frozen=True)
class Result:
    """All finished runs of one spec, one a seed."""

    runs: tuple[RunRecord, ...]

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
    def val_accuracy(self) -> float:
        """Mean validation accuracy over seeds, in percent."""
        return fmean(run.val_accuracy or 0.0 for run in self.runs)

    @property
    def test_accuracy(self) -> float:
        """Mean test accuracy over seeds, in percent."""
        return self._test[0]

    @property
    def seed_std(self) -> float | None:
        """Standard deviation of the test accuracy over seeds, in points; None for one seed."""
        return self._test[1]

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
    def _test(self) -> tuple[float, float | None]:
        return mean_std([run.test_accuracy or 0.0 for run in self.runs])


def results(records: Iterable[RunRecord]) -> list[Result]:
    """Finished runs grouped by everything but their seed, in order of first appearance."""
    groups: dict[str, list[RunRecord]] = {}
    for record in records:
        if record.status is Status.FINISHED:
            key = record.spec.model_copy(update={"seed": 0}).model_dump_json()
            groups.setdefault(key, []).append(record)
    return [Result(tuple(group)) for group in groups.values()]


def of_one_recipe(found: Sequence[Result]) -> list[Result]:
    """One result for each of the report's models, all of one recipe, so that they can be compared.

    It is the recipe under which most of them were trained, the first among equals; of several
    results of a model under it, such as with other epochs, the first is taken.
    """
    ours = [result for result in found if result.report]
    models = {(result.runs[0].spec.recipe, result.title) for result in ours}
    trained = Counter(recipe for recipe, _ in models)
    recipes = dict.fromkeys(result.runs[0].spec.recipe for result in ours)
    recipe = max(recipes, key=lambda name: trained[name], default=None)
    by_name: dict[str, Result] = {}
    for result in ours:
        if result.runs[0].spec.recipe == recipe:
            by_name.setdefault(result.title, result)
    return [by_name[name] for name in REPORT_MODELS if name in by_name]


def in_order(found: Iterable[Result]) -> list[Result]:
    """The report's models as its tables have them, then the others by their weights."""
    order = {name: number for number, name in enumerate(REPORT_MODELS)}
    return sorted(found, key=lambda result: (order.get(result.title, len(order)), result.weights))
