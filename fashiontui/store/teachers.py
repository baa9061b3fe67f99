"""Which stored runs teach: what settings call them, where they are, and whether they can.

What they answer is asked by ``fashiontui/teachers.py``, which needs torch; this does not.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import MOST_TEACHERS, TEACHER_DIGITS
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DatasetName
from fashiontui.store.store import Store


class Teachers(NamedTuple):
    """Stored runs whose answers, averaged, may be learnt."""

    name: str
    """What settings call them."""
    title: str
    """What people call them: ``cnn-20k ×5``."""
    val_accuracy: float | None
    """Mean over them, in percent."""
    about: str
    """A line on each."""

    @property
    def label(self) -> str:
        """Title and accuracy, which tells apart what has one title."""
        reached = self.val_accuracy
        return self.title if reached is None else f"{self.title}, {reached:.1f}%"


def teacher_name(store: Store, run_ids: Iterable[str]) -> str:
    """What settings call these runs as teachers.

    Raises:
        UsageError: there is no such run, it is not finished, or they are too many.
        StoreError: the store cannot be read.
    """
    return _name([store.get(run_id) for run_id in run_ids])


def teacher(store: Store, name: str, dataset: DatasetName, split_seed: int) -> RunRecord:
    """The run that settings call so, without predictions.

    Args:
        store: Where it is.
        name: Of one teacher.
        dataset: What its pupils are to be trained on.
        split_seed: Which of the images they learn from.

    Raises:
        UsageError: it is not to be had, or has learnt from other images than its pupils shall.
        StoreError: the store cannot be read.
    """
    alike = store.with_weights(name)
    if not alike:
        raise UsageError(
            f"No run in {store.name} has the weights {name}, which are to teach; train their run "
            "again, or choose another teacher."
        )
    here = [record for record in alike if store.checkpoints.find(record.id)]
    return _checked(store, (here or alike)[0], dataset, split_seed)


def teachers(store: Store, name: str, dataset: DatasetName, split_seed: int = 0) -> Teachers:
    """Those that settings call so, fit to teach as far as can be seen without their weights.

    Args:
        store: Where they are.
        name: Of one or several; not ``none``.
        dataset: What their pupils are to be trained on.
        split_seed: Which of the images they learn from.

    Raises:
        UsageError: one of them is not to be had, or has learnt from other images.
        StoreError: the store cannot be read.
    """
    return _together([teacher(store, one, dataset, split_seed) for one in name.split("+")])


def best_teachers(
    store: Store, rows: Iterable[Sequence[str]], dataset: DatasetName, split_seed: int = 0
) -> list[Teachers]:
    """Those of the rows whose runs can teach, a row's runs together.

    Args:
        store: Where they are.
        rows: Ids of the runs of each row, the best row first.
        dataset: What their pupils are to be trained on.
        split_seed: Which of the images they learn from.

    Raises:
        StoreError: the store cannot be read.
    """
    fit: dict[str, Teachers] = {}
    for run_ids in rows:
        records = filter(None, map(store.find, run_ids[:MOST_TEACHERS]))
        try:
            found = _together([_checked(store, one, dataset, split_seed) for one in records])
        except UsageError:  # not offered: nobody asked for it
            continue
        fit[found.name] = found
    return [*fit.values()]


def _checked(store: Store, record: RunRecord, dataset: DatasetName, split_seed: int) -> RunRecord:
    if (record.spec.dataset, record.spec.split_seed) != (dataset, split_seed):
        raise UsageError(
            f"Run {record.id} has learnt from other images than its pupils shall; choose a teacher "
            f"on {dataset}."
        )
    store.checkpoints.of_finished(record.id)
    return record


def _together(records: Sequence[RunRecord]) -> Teachers:
    reached = [run.val_accuracy for run in records if run.val_accuracy is not None]
    return Teachers(
        _name(records),
        _title(records),
        fmean(reached) if reached else None,
        "\n".join(map(_line, records)),
    )


def _name(records: Iterable[RunRecord]) -> str:
    names = set()
    for record in records:
        if record.weights_sha256 is None:
            raise UsageError(f"Run {record.id} is not finished; only finished runs can teach.")
        names.add(record.weights_sha256[:TEACHER_DIGITS])
    if len(names) > MOST_TEACHERS:
        raise UsageError(
            f"A run has {MOST_TEACHERS} teachers at most, not {len(names)}; choose fewer."
        )
    return "+".join(sorted(names))


def _title(records: Sequence[RunRecord]) -> str:
    counts = Counter(record.spec.title for record in records)
    return ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in counts.items())


def _line(record: RunRecord) -> str:
    spec, val = record.spec, record.val_accuracy
    reached = "" if val is None else f", validation {val:.2f}%"
    return f"{spec.title}, {spec.recipe_title}, seed {spec.seed}{reached} (run {record.id})"
