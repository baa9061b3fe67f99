"""From histories and stored runs to the curves of the charts."""

from collections.abc import Iterable, Sequence

from fashiontui.domain.events import EpochEnded
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec
from fashiontui.tui.widgets.series import Reference, Series

MOST_TRAIN_LOSSES = 2
_TRAIN_GLYPHS = {"◆": "◇"}


def loss_curves(
    history: History, marked: Iterable[tuple[str, RunRecord]], pinned: RunRecord | None
) -> list[Series]:
    """Training and validation loss of the run under way and of the others.

    Beside more than two others their training loss is left out: nobody could tell so many apart.
    """
    train = [*history.losses] or [
        (float(epoch.epoch), epoch.train_loss) for epoch in history.epochs
    ]
    curves = [
        Series("train", "train", "━", train),
        Series("validation", "validation", "●", _val_loss(history.epochs)),
    ]
    curves = curves if history.started or history.epochs else []
    others = _others(marked, pinned)
    for label, look, glyph, record in others:
        curves.append(Series(label, look, glyph, _val_loss(record.epochs)))
        if len(others) <= MOST_TRAIN_LOSSES:
            losses = [(float(epoch.epoch), epoch.train_loss) for epoch in record.epochs]
            curves.append(
                Series("its train", look, _TRAIN_GLYPHS.get(glyph, glyph.upper()), losses)
            )
    return curves


def accuracy_curves(
    history: History, marked: Iterable[tuple[str, RunRecord]], pinned: RunRecord | None
) -> list[Series]:
    """Validation accuracy of the run under way and of the others."""
    curves = [Series("validation", "validation", "●", _val_accuracy(history.epochs))]
    return (curves if history.started or history.epochs else []) + [
        Series(label, look, glyph, _val_accuracy(record.epochs))
        for label, look, glyph, record in _others(marked, pinned)
    ]


def reference(spec: RunSpec | None) -> Reference | None:
    """The report's validation accuracy, where it has one for the network on the same data."""
    if spec is None or spec.model not in REPORT_MODELS or spec.dataset != "fashion-mnist":
        return None
    accuracy = REPORT_MODELS[spec.model].val_accuracy
    return Reference("report", accuracy)


def epochs_shown(history: History, records: Iterable[RunRecord]) -> float:
    """How many epochs the longest of the runs has."""
    planned = history.started.spec.settings.epochs if history.started else 1
    return float(max([planned, *(len(record.epochs) for record in records)]))


def _others(
    marked: Iterable[tuple[str, RunRecord]], pinned: RunRecord | None
) -> list[tuple[str, str, str, RunRecord]]:
    """Label, look and glyph of each run drawn beside the one under way."""
    others = [
        (record.spec.title, mark, mark, record)
        for mark, record in marked
        if pinned is None or record.id != pinned.id  # drawn once, as the pinned one
    ]
    if pinned is not None:
        others.insert(0, (f"pinned {pinned.spec.title}", "pinned", "◆", pinned))
    return others


def _val_loss(epochs: Sequence[EpochEnded]) -> list[tuple[float, float]]:
    return [(float(epoch.epoch), epoch.val_loss) for epoch in epochs]


def _val_accuracy(epochs: Sequence[EpochEnded]) -> list[tuple[float, float]]:
    return [(float(epoch.epoch), epoch.val_accuracy) for epoch in epochs]
