"""From histories and stored runs to the curves of the charts."""

from collections.abc import Iterable, Sequence

from fashiontui.domain.events import EpochEnded
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec
from fashiontui.tui.widgets.chart import Reference, Series


def loss_curves(
    history: History, marked: Iterable[tuple[str, RunRecord]], pinned: RunRecord | None
) -> list[Series]:
    """Training and validation loss of the run under way, validation loss of the others."""
    train = [(p.epoch, p.loss) for p in history.progress] or [
        (float(epoch.epoch), epoch.train_loss) for epoch in history.epochs
    ]
    curves = [
        Series("train", "train", "━", train),
        Series("validation", "validation", "●", _val_loss(history.epochs)),
    ]
    return (curves if history.started or history.epochs else []) + [
        Series(label, look, glyph, _val_loss(record.epochs))
        for label, look, glyph, record in _others(marked, pinned)
    ]


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
    return Reference(f"report {accuracy:.2f}", accuracy)


def epochs_shown(history: History, records: Iterable[RunRecord]) -> float:
    """How many epochs the longest of the runs has."""
    planned = history.started.spec.settings.epochs if history.started else 1
    return float(max([planned, *(len(record.epochs) for record in records)]))


def _others(
    marked: Iterable[tuple[str, RunRecord]], pinned: RunRecord | None
) -> list[tuple[str, str, str, RunRecord]]:
    """Label, look and glyph of each run drawn beside the one under way."""
    others = [(record.spec.title, mark, mark, record) for mark, record in marked]
    if pinned is not None:
        others.insert(0, (f"pinned {pinned.spec.title}", "pinned", "◆", pinned))
    return others


def _val_loss(epochs: Sequence[EpochEnded]) -> list[tuple[float, float]]:
    return [(float(epoch.epoch), epoch.val_loss) for epoch in epochs]


def _val_accuracy(epochs: Sequence[EpochEnded]) -> list[tuple[float, float]]:
    return [(float(epoch.epoch), epoch.val_accuracy) for epoch in epochs]
