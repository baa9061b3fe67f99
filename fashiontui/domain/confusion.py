"""Which classes a network takes for which, and the very images it does so on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Predictions
from fashiontui.domain.family import CLASSES
from fashiontui.domain.record import RunRecord

Matrix = tuple[tuple[int, ...], ...]
"""How many images of each class, by row, were taken for each, by column."""


@dataclass(frozen=True)
class ClassScore:
    """How a class was recognised; shares from 0 to 1, None where there is nothing to divide by."""

    precision: float | None
    """Of the images taken for this class, the share that is of it."""
    recall: float | None
    """Of the images of this class, the share taken for it."""
    f1: float | None
    """Harmonic mean of the two (van Rijsbergen 1979): 2 hits / (taken for it + of it)."""


@dataclass(frozen=True)
class Comparison:
    """What two networks make of the same images: indices, what is told first coming first."""

    both: tuple[int, ...]
    """Both are right."""
    only_a: tuple[int, ...]
    """The first alone is right; the second's surest mistakes first."""
    only_b: tuple[int, ...]
    neither: tuple[int, ...]


def predictions_of(record: RunRecord) -> Predictions:
    """What a run's network made of the test images.

    Raises:
        UsageError: it was never tested.
    """
    if record.test is None:
        raise UsageError(
            f"{record.spec.title} ({record.status.value}) has no predictions: the test images are "
            "scored once, at the end of a run that reaches it."
        )
    return record.test


def confusion(made: Predictions) -> Matrix:
    """The confusion matrix: truth by row, prediction by column."""
    counts = Counter(zip(made.labels, made.predicted, strict=True))
    return tuple(
        tuple(counts[truth, taken] for taken in range(CLASSES)) for truth in range(CLASSES)
    )


def class_scores(matrix: Matrix) -> list[ClassScore]:
    """Precision, recall and F1 of each class."""
    scores = []
    for label, row in enumerate(matrix):
        hits, of_it, taken = row[label], sum(row), sum(other[label] for other in matrix)
        scores.append(ClassScore(_share(hits, taken), _share(hits, of_it), _f1(hits, taken, of_it)))
    return scores


def confidence(made: Predictions, image: int) -> int | None:
    """255ths of probability of the predicted class; None where none were kept."""
    if made.probabilities is None:
        return None
    return made.probabilities[CLASSES * image + made.predicted[image]]


def probabilities(made: Predictions, image: int) -> list[tuple[int, float]] | None:
    """Class and probability, from 0 to 1, of an image, the likeliest first; None without any.

    They are kept to a 255th, so the sum may miss 1 by a little.
    """
    if made.probabilities is None:
        return None
    shares = made.probabilities[CLASSES * image : CLASSES * (image + 1)]
    likeliest = sorted(enumerate(shares), key=lambda pair: (-pair[1], pair[0]))
    return [(label, share / 255) for label, share in likeliest]


def surest_first(made: Predictions, images: Iterable[int]) -> tuple[int, ...]:
    """Images by confidence in what was predicted; in their own order where that is the same."""
    return tuple(sorted(images, key=lambda image: -(confidence(made, image) or 0)))


def images_of(made: Predictions, truth: int, taken: int) -> tuple[int, ...]:
    """Images of one class that were taken for another, or rightly for it, the surest first."""
    pairs = enumerate(zip(made.labels, made.predicted, strict=True))
    return surest_first(made, (image for image, pair in pairs if pair == (truth, taken)))


def mistakes(made: Predictions) -> tuple[int, ...]:
    """All wrong images, the surest mistakes first: wrong labels tend to stand there."""
    return surest_first(made, (image for image, right in enumerate(made.correct) if not right))


def compared(a: Predictions, b: Predictions) -> Comparison:
    """Two networks on the same images.

    Raises:
        UsageError: they were tested on different images.
    """
    if a.labels != b.labels:
        raise UsageError("These two runs were tested on different images; compare runs on one set.")
    groups: dict[tuple[bool, bool], list[int]] = {}
    for image, pair in enumerate(zip(a.correct, b.correct, strict=True)):
        groups.setdefault(pair, []).append(image)
    return Comparison(
        tuple(groups.get((True, True), ())),
        surest_first(b, groups.get((True, False), ())),
        surest_first(a, groups.get((False, True), ())),
        surest_first(a, groups.get((False, False), ())),
    )


def most_confused(matrix: Matrix) -> tuple[int, int]:
    """The two different classes, truth and prediction, that were confused most often."""
    pairs = [(t, p) for t in range(len(matrix)) for p in range(len(matrix)) if t != p]
    return max(pairs, key=lambda pair: matrix[pair[0]][pair[1]])


def accuracy(matrix: Sequence[Sequence[int]]) -> float:
    """Percentage of images on the diagonal."""
    return 100 * sum(row[label] for label, row in enumerate(matrix)) / sum(map(sum, matrix))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _f1(hits: int, taken: int, of_it: int) -> float | None:
    return _share(2 * hits, taken + of_it)
