"""Runs, models and events as the plain objects that ``--json``, ``--jsonl`` and ``--csv`` print."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence

from msgspec import to_builtins

from fashiontui.domain.events import EpochEnded, Event, Progress, RunFinished, RunStarted
from fashiontui.domain.record import RunRecord
from fashiontui.domain.results import Result, ranked, results
from fashiontui.domain.separation import Verdict
from fashiontui.domain.shapes import Family, Shape

SCHEMA = 1
"""Version of the documents' form; raised when a reader would have to change."""

Document = dict[str, object]

_EVENT_NAMES = {
    RunStarted: "run_started",
    Progress: "progress",
    EpochEnded: "epoch_ended",
    RunFinished: "run_finished",
}


def runs_document(dataset: str, records: Iterable[RunRecord]) -> Document:
    """What ``--json`` prints."""
    runs = [*records]
    return {
        "schema": SCHEMA,
        "dataset": dataset,
        "runs": [run_object(run) for run in runs],
        "results": result_objects(results(runs)),
    }


def result_objects(found: Sequence[Result]) -> list[Document]:
    """Finished runs that differ by their seed alone as one object, ranked on validation.

    Figures are means over seeds; ``seed_std`` and ``seed_ci95`` (a t-interval) are null for one.
    """
    objects: list[Document] = []
    for result, rank in zip(found, ranked(found), strict=True):
        run = result.runs[0]
        spec = run.spec
        objects.append(
            {
                "rank": rank.number,
                "rank_shared": rank.shared,
                "dataset": spec.dataset,
                "model": spec.model,
                "arch": spec.arch,
                "shape": list(spec.shape),
                "weights": spec.weights,
                "recipe": spec.recipe,
                "settings": to_builtins(spec.settings),
                "precision": run.precision,
                "seeds": result.seeds,
                "runs": [one.id for one in result.runs],
                "val_accuracy": result.val_accuracy,
                "val_accuracy_seed_std": result.val_std,
                "val_accuracy_seed_ci95": result.val_interval,
                "test_accuracy": result.test_accuracy,
                "test_accuracy_seed_std": result.seed_std,
                "test_accuracy_seed_ci95": result.seed_interval,
                "train_seconds": result.train_seconds,
            }
        )
    return objects


def verdict_object(verdict: Verdict) -> Document:
    """What came of ``--until-separated``; ``p`` is corrected for the looks."""
    fields = ("better", "worse", "separated", "seeds", "points", "interval", "p", "looks")
    return {name: getattr(verdict, name) for name in fields}


def run_object(record: RunRecord) -> Document:
    """One run. Accuracies are percentages, times seconds, losses nats."""
    spec, last = record.spec, record.last
    return {
        "id": record.id,
        "status": record.status.value,
        "cause": record.cause,
        "created": record.created.isoformat(),
        "dataset": spec.dataset,
        "model": spec.model,
        "arch": spec.arch,
        "shape": list(spec.shape),
        "budget": spec.budget,
        "weights": spec.weights,
        "report_weights": spec.report_weights,
        "recipe": spec.recipe,
        "settings": to_builtins(spec.settings),
        "epochs": len(record.epochs),
        "seed": spec.seed,
        "split_seed": spec.split_seed,
        "device": record.device,
        "device_name": record.device_name,
        "precision": record.precision,
        "threads": record.threads,
        "kernels": record.kernels,
        "versions": record.versions,
        "train_loss": last.train_loss if last else None,
        "val_loss": last.val_loss if last else None,
        "val_accuracy": record.val_accuracy,
        "test_accuracy": record.test_accuracy,
        "test_accuracy_batch_std": record.test_batch_std,
        "test_accuracy_ci95": list(record.test_interval) if record.test_interval else None,
        "train_seconds": record.train_seconds,
        "total_seconds": record.total_seconds,
        "images_per_second": record.images_per_second,
        "weights_sha256": record.weights_sha256,
        "history": [_without_run_id(epoch) for epoch in record.epochs],
    }


def runs_csv(records: Iterable[RunRecord]) -> str:
    """What ``--csv`` prints: one line a run, settings as columns, histories left out."""
    rows: list[Document] = []
    for record in records:
        row = run_object(record)
        for left_out in ("history", "versions", "settings"):
            del row[left_out]
        row["shape"] = "-".join(str(width) for width in record.spec.shape)
        low, high = record.test_interval or (None, None)
        del row["test_accuracy_ci95"]
        row |= {"test_accuracy_ci95_low": low, "test_accuracy_ci95_high": high}
        settings = to_builtins(record.spec.settings)
        row |= {f"setting_{name}": value for name, value in settings.items()}
        rows.append(row)
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def event_object(event: Event) -> Document:
    """One line of ``--jsonl``, without predictions."""
    named: Document = {"event": _EVENT_NAMES[type(event)]}
    match event:
        case RunStarted(spec=spec):
            before = [_without_run_id(epoch) for epoch in event.epochs]
            written = {"spec": to_builtins(spec), "epochs": before}
            return named | _fields(event) | written
        case RunFinished():
            fields = _fields(event, without=("validation", "test"))
            test = event.test.accuracy if event.test else None
            return named | {**fields, "status": event.status.value, "test_accuracy": test}
        case _:
            return named | _fields(event)


def models_document(
    networks: Iterable[tuple[str | None, Family, Shape, int | None]],
) -> Document:
    """What ``fashiontui models --json`` prints.

    Args:
        networks: Report name, family, shape and budget of each.
    """
    return {
        "schema": SCHEMA,
        "models": [
            {
                "model": model,
                "arch": family.name,
                "shape": list(shape),
                "budget": budget,
                "weights": family.weights(shape),
                "report_weights": family.report_weights(shape),
                "layers": [
                    {"name": layer.name, "output": list(layer.output), "weights": layer.weights}
                    for layer in family.layers(shape)
                ],
            }
            for model, family, shape, budget in networks
        ],
    }


def _without_run_id(epoch: EpochEnded) -> Document:
    return _fields(epoch, without=("run_id",))


def _fields(event: Event, without: tuple[str, ...] = ()) -> Document:
    """The event's own fields, nested values as they are."""
    names = [field.name for field in dataclasses.fields(event) if field.name not in without]
    return {name: getattr(event, name) for name in names}
