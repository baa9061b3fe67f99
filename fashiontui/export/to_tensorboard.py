"""Stored runs as TensorBoard event files, written by TensorBoard's own writer."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import to_builtins

from fashiontui.domain.errors import UsageError
from fashiontui.domain.extras import extra
from fashiontui.domain.record import RunRecord
from fashiontui.domain.writing import make_folder

with extra("tensorboard", "Writing TensorBoard's event files"):
    from torch.utils.tensorboard import SummaryWriter
    from torch.utils.tensorboard.summary import hparams


def write_events(records: Sequence[RunRecord], folder: Path, force: bool) -> list[Path]:
    """A folder for each run in a folder of logs, each there whole or not at all.

    Curves carry the time they were measured at; settings and results are in the HPARAMS tab.

    Args:
        records: Finished runs.
        folder: The log folder; made where there is none.
        force: Whether folders of runs that are there already are replaced.

    Raises:
        UsageError: a run's folder is there already, or it cannot be written.
    """
    make_folder(folder)
    places = {folder / _name(record): record for record in records}
    for place in places:
        if place.exists() and not force:
            raise UsageError(f"{place} is there already; --force puts the export in its place.")
    try:
        for place, record in places.items():
            with TemporaryDirectory(dir=folder, prefix=".") as scratch:
                written = Path(scratch) / "run"
                _write(record, written)
                if place.exists():
                    shutil.rmtree(place)
                written.rename(place)
    except OSError as error:
        raise UsageError(
            f"Cannot write {folder}: {error.strerror or error}; name another folder."
        ) from error
    return list(places)


def _name(record: RunRecord) -> str:
    """What a run is called in TensorBoard; family and shape of one's own have a space in them."""
    return f"{record.spec.title}-seed{record.spec.seed}-{record.id}".replace(" ", "-")


def _write(record: RunRecord, folder: Path) -> None:
    began = record.created.timestamp()
    with SummaryWriter(str(folder)) as writer:
        for epoch in record.epochs:
            at = began + epoch.train_seconds
            for tag, value in (
                ("loss/train", epoch.train_loss),
                ("loss/validation", epoch.val_loss),
                ("accuracy/validation", epoch.val_accuracy),
                ("learning_rate", epoch.lr),
                ("images_per_second", epoch.images_per_second),
            ):
                writer.add_scalar(tag, value, epoch.epoch, walltime=at)
        ended = began + (record.total_seconds or 0.0)
        last = record.spec.settings.epochs
        writer.add_scalar("accuracy/test", record.test_accuracy or 0.0, last, walltime=ended)
        # Not add_hparams: it would put them into a folder and a run of their own.
        tab = hparams(_settings(record), dict(_results(record)))  # type: ignore[no-untyped-call]
        for summary in tab:
            writer.file_writer.add_summary(summary)


def _settings(record: RunRecord) -> dict[str, str | int | float | bool]:
    spec = record.spec
    settings = to_builtins(spec.settings)
    return {
        "arch": spec.arch,
        "shape": spec.family.describe(spec.shape),
        "weights": spec.weights,
        "recipe": spec.recipe,
        "seed": spec.seed,
        "precision": record.precision,
        **{
            name: value if isinstance(value, str | int | float | bool) else str(value)
            for name, value in settings.items()
        },
    }


def _results(record: RunRecord) -> list[tuple[str, float]]:
    return [
        ("accuracy/validation", record.val_accuracy or 0.0),
        ("accuracy/test", record.test_accuracy or 0.0),
    ]
