"""The report's four conclusions, drawn anew from one's own runs."""

from collections.abc import Iterable
from dataclasses import dataclass

from fashiontui.domain.ranking import LEAST_SEEDS
from fashiontui.domain.report import REPORT_MODELS, ReportModel
from fashiontui.domain.results import Result
from fashiontui.domain.stats import SIGNIFICANT, mcnemar, paired_t

ALMOST_NO_EXTRA_TIME = 1.25
"""The report's own FCNs took 1:05 for 200K weights against 1:00 for 50K, a ratio of 1.08; networks
trained in seconds cannot be timed that sharply, so a quarter more still counts."""


@dataclass(frozen=True)
class Difference:
    """How much more accurate one network is than another on the same test images."""

    better: str
    worse: str
    points: float
    """Mean test accuracy of the first less that of the second; over three common seeds or more,
    on these alone."""
    reported: float
    """The same difference in the report."""
    p: float
    """Of the paired t-test over common seeds, from three on.

    Of fewer, exact McNemar: over two seeds the larger, so that it holds in each, and 1 when they
    favour different networks. Not corrected for the number of differences: a conclusion exceeds
    noise when all of its differences do, which chance brings about no more often than one.
    """
    interval: tuple[float, float] | None = None
    """95% t-interval over three seeds or more."""

    @property
    def is_noise(self) -> bool:
        """Whether a difference of this size is to be expected of equally good networks."""
        return self.p >= SIGNIFICANT

    def __str__(self) -> str:
        verdict = "within noise" if self.is_noise else "more than noise"
        p = "p < 0.0001" if self.p < 0.0001 else f"p = {self.p:.4f}"
        over = ""
        if self.interval:
            over = f" (95% over seeds {self.interval[0]:+.2f} to {self.interval[1]:+.2f})"
        return (
            f"{self.better} − {self.worse} = {self.points:+.2f} points{over}, {verdict} ({p}); "
            f"the report has {self.reported:+.2f}."
        )


@dataclass(frozen=True)
class Conclusion:
    """One of the report's conclusions, and what these runs say of it."""

    claim: str
    """What the report concludes."""
    holds: bool
    """Whether these runs agree, by their means."""
    evidence: tuple[str, ...]
    """The figures behind it, a sentence each."""
    differences: tuple[Difference, ...] = ()
    """The accuracy differences it rests on."""

    @property
    def beyond_noise(self) -> bool | None:
        """Whether every difference it rests on is more than noise; None when it rests on none."""
        if not self.differences:
            return None
        return not any(difference.is_noise for difference in self.differences)


def conclusions(found: Iterable[Result]) -> list[Conclusion]:
    """Those of the report's conclusions for which every model was trained, on a common seed."""
    by_name = {result.title: result for result in found if result.report}
    drawn = []
    for needed, draw in (
        (("fcn-50k", "fcn-100k", "fcn-200k"), _more_weights_help),
        (("cnn-100k", "fcn-100k", "fcn-200k"), _cnn_beats_fcn),
        (("cnn-20k", "fcn-200k"), _tenth_of_the_weights),
        (("fcn-50k", "cnn-50k", "fcn-100k", "cnn-100k"), _fcn_trains_faster),
    ):
        spoken_of = [by_name[name] for name in needed if name in by_name]
        seeds = [{run.spec.seed for run in result.runs} for result in spoken_of]
        if len(spoken_of) == len(needed) and set.intersection(*seeds):
            drawn.append(draw(*spoken_of))
    return drawn


def difference(better: Result, worse: Result) -> Difference:
    """Compare two of the report's models by the seeds both have, on the same test images.

    Raises:
        ValueError: they share no seed.
    """
    pairs = [
        (a.test, b.test)
        for a in better.runs
        for b in worse.runs
        if a.spec.seed == b.spec.seed and a.test and b.test
    ]
    reported = _reported(better).test_accuracy - _reported(worse).test_accuracy
    if len(pairs) >= LEAST_SEEDS:
        test = paired_t([a.accuracy for a, _ in pairs], [b.accuracy for _, b in pairs])
        points = test.difference
        return Difference(better.title, worse.title, points, reported, test.p, test.interval)
    points = better.test_accuracy - worse.test_accuracy
    agree = all((a.accuracy - b.accuracy) * points > 0 for a, b in pairs)
    p = max(mcnemar(a.correct, b.correct) for a, b in pairs) if agree else 1.0
    return Difference(better.title, worse.title, points, reported, p)


def _more_weights_help(small: Result, middle: Result, large: Result) -> Conclusion:
    steps = (difference(middle, small), difference(large, middle))
    slowdown, reported = _time_ratio(large, small)
    return Conclusion(
        "FCN: more weights, more accuracy, at almost no extra time.",
        all(step.points > 0 for step in steps) and slowdown <= ALMOST_NO_EXTRA_TIME,
        (
            *map(str, steps),
            f"{large.title} took {slowdown:.2f} times as long as {small.title} "
            f"(report: {reported:.2f}).",
        ),
        steps,
    )


def _cnn_beats_fcn(cnn: Result, fcn: Result, larger_fcn: Result) -> Conclusion:
    leads = (difference(cnn, fcn), difference(cnn, larger_fcn))
    return Conclusion(
        "CNN-100K beats FCN-100K by 3.01 points, and even FCN-200K.",
        all(lead.points > 0 for lead in leads),
        tuple(map(str, leads)),
        leads,
    )


def _tenth_of_the_weights(cnn: Result, fcn: Result) -> Conclusion:
    lead = difference(cnn, fcn)
    return Conclusion(
        "CNN-20K beats FCN-200K with a tenth of the weights.",
        lead.points > 0,
        (str(lead), f"{cnn.title} has {cnn.weights / fcn.weights:.1%} of the weights."),
        (lead,),
    )


def _fcn_trains_faster(
    fcn: Result, cnn: Result, larger_fcn: Result, larger_cnn: Result
) -> Conclusion:
    pairs = ((cnn, fcn), (larger_cnn, larger_fcn))
    return Conclusion(
        "FCNs train faster; CNNs need more time for the same weights.",
        all(slow.train_seconds > quick.train_seconds for slow, quick in pairs),
        tuple(
            f"{slow.title} took {_time_ratio(slow, quick)[0]:.1f} times as long as {quick.title}, "
            f"and {_epoch_time(slow) / _epoch_time(quick):.1f} times an epoch "
            f"(report: {_time_ratio(slow, quick)[1]:.1f})."
            for slow, quick in pairs
        ),
    )


def _time_ratio(slow: Result, quick: Result) -> tuple[float, float]:
    """How many times as long the first trained as the second: here, and in the report."""
    theirs = _reported(slow).train_seconds / _reported(quick).train_seconds
    return slow.train_seconds / quick.train_seconds, theirs


def _reported(result: Result) -> ReportModel:
    """The report's row of one of its models."""
    return REPORT_MODELS[result.title]


def _epoch_time(result: Result) -> float:
    return result.train_seconds / result.runs[0].spec.settings.epochs
