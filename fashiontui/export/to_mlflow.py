"""Stored runs as MLflow runs, written by MLflow's own client to a file or a tracking server."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import to_builtins

from fashiontui.domain.errors import ExportError, UsageError
from fashiontui.domain.extras import extra
from fashiontui.domain.record import RunRecord

# An export tells nobody but the place it is asked to write to.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
with extra("mlflow", "Writing MLflow runs"):
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    from mlflow.entities import Run

EXPERIMENT = "fashiontui"
ID_TAG = "fashiontui.run"
"""Carries the run's id here, so that no run is written twice."""
_SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "file")


@dataclass(frozen=True)
class Written:
    """What came of an export."""

    new: int
    known: int
    """Runs that were there already, and were left as they are."""


def write_runs(records: Sequence[RunRecord], where: str) -> Written:
    """Add runs to the experiment ``fashiontui``; those it has already stay as they are.

    Args:
        records: Finished runs.
        where: Address of a tracking server or database, or the path of an SQLite file.

    Raises:
        UsageError: it is no such address.
        ExportError: MLflow cannot write there; a run half written is deleted.
    """
    scheme, colon, _ = where.partition("://")
    if colon and scheme.split("+")[0] not in _SCHEMES:
        raise UsageError(f"MLflow knows no address like {where}; give a file or http://host:port.")
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every table it makes
    try:
        client = MlflowClient(where if colon else f"sqlite:///{os.path.abspath(where)}")
        experiment = client.get_experiment_by_name(EXPERIMENT)
        to = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
        new = [record for record in records if not _found(client, to, record)]
        for record in new:
            _write(client, to, record)
    except MlflowException as error:
        said = (str(error).splitlines() or [""])[0].rstrip(".")
        raise ExportError(f"MLflow cannot write to {where}: {said}.") from error
    return Written(len(new), len(records) - len(new))


def _found(client: MlflowClient, experiment: str, record: RunRecord) -> "list[Run]":
    return list(client.search_runs([experiment], f"tags.`{ID_TAG}` = '{record.id}'", max_results=1))


def _write(client: MlflowClient, experiment: str, record: RunRecord) -> None:
    """One run, whole or not at all."""
    spec = record.spec
    began = round(1000 * record.created.timestamp())
    settings = {
        "arch": spec.arch,
        "shape": spec.family.describe(spec.shape),
        "weights": spec.weights,
        "recipe": spec.recipe,
        "seed": spec.seed,
        "dataset": spec.dataset,
        **to_builtins(spec.settings),
    }
    metrics = []
    for epoch in record.epochs:
        at = began + round(1000 * epoch.train_seconds)
        metrics += [
            Metric("train_loss", epoch.train_loss, at, epoch.epoch),
            Metric("val_loss", epoch.val_loss, at, epoch.epoch),
            Metric("val_accuracy", epoch.val_accuracy, at, epoch.epoch),
            Metric("learning_rate", epoch.lr, at, epoch.epoch),
        ]
    ended = began + round(1000 * (record.total_seconds or 0.0))
    last = spec.settings.epochs
    metrics.append(Metric("test_accuracy", record.test_accuracy or 0.0, ended, last))
    metrics.append(Metric("train_seconds", record.train_seconds or 0.0, ended, last))
    tags = {
        ID_TAG: record.id,
        "device": f"{record.device} ({record.device_name})",
        "precision": record.precision,
        "weights_sha256": record.weights_sha256 or "",
        **{f"version.{name}": version for name, version in record.versions.items()},
    }
    run_id = client.create_run(
        experiment, start_time=began, run_name=f"{spec.title} seed {spec.seed}"
    ).info.run_id
    try:
        for at in range(0, len(metrics), 1000):  # as many as a server takes at once
            client.log_batch(run_id, metrics=metrics[at : at + 1000])
        client.log_batch(
            run_id,
            params=[Param(name, str(value)) for name, value in settings.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        client.set_terminated(run_id, "FINISHED", end_time=ended)
    except BaseException:
        client.delete_run(run_id)
        raise
