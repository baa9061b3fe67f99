"""Specs, events and records that tests make up."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fashiontui.domain.events import (
    EpochEnded,
    FirstLayer,
    LayerStatistics,
    Predictions,
    Progress,
    RunFinished,
    RunStarted,
    Status,
)
from fashiontui.domain.recipe import Settings
from fashiontui.domain.record import RunRecord
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec

RUN_ID = "0123456789ab"
RUINOUS = {
    "shape": (64,) * 8,
    "optimizer": "sgd",
    "momentum": 0,
    "lr": 100,
    "weight_decay": 10,
}
"""Decay makes every weight a thousand times larger at each step: after the first the loss is still
a number (nine layers, a factor of 1e27), after the second nothing is."""


def made_spec(
    arch: str = "fcn",
    shape: tuple[int, ...] = (8,),
    *,
    seed: int = 0,
    model: str | None = None,
    dataset: str = "fashion-mnist",
    **settings: object,
) -> RunSpec:
    """A spec with some settings replaced; one epoch unless said otherwise."""
    if model:
        arch, shape = REPORT_MODELS[model].arch, REPORT_MODELS[model].shape
    return RunSpec(
        model=model,
        arch=arch,
        shape=shape,
        budget=REPORT_MODELS[model].budget if model else None,
        recipe="made",
        settings=Settings(epochs=1).replaced(**settings),
        seed=seed,
        dataset=dataset,
    )


def made_predictions(correct: Sequence[bool], sure: int | None = None) -> Predictions:
    """Predictions that are right exactly where ``correct`` says so.

    Args:
        correct: One an image.
        sure: 255ths of probability that each image's predicted class gets, with none for the others
            but the next; without it no probabilities are kept.
    """
    labels = bytes(i % 10 for i in range(len(correct)))
    predicted = bytes(
        label if right else (label + 1) % 10 for label, right in zip(labels, correct, strict=True)
    )
    if sure is None:
        return Predictions(predicted, labels)
    shares = bytearray(10 * len(predicted))
    for at, label in enumerate(predicted):
        shares[10 * at + label], shares[10 * at + (label + 1) % 10] = sure, 255 - sure
    return Predictions(predicted, labels, bytes(shares))


def made_inside(epoch: int = 1, run_id: str = RUN_ID, count: int = 3, side: int = 5) -> FirstLayer:
    """What a network of two layers looks like after an epoch."""
    layers = (
        LayerStatistics("conv1", count, 0.01 * epoch, 0.25, 0.5, 1.5, 1),
        LayerStatistics("output", 10, -0.5, 0.125, -2.5, 4.0, 0),
    )
    pixels = bytes((7 * at + epoch) % 256 for at in range(count * side**2))
    return FirstLayer(run_id, epoch, count, side, pixels, layers)


def right_on(first: int, last: int, images: int = 1000) -> list[bool]:
    """Right on images ``first`` to ``last - 1`` alone."""
    return [first <= i < last for i in range(images)]


def made_started(spec: RunSpec | None = None, run_id: str = RUN_ID) -> RunStarted:
    spec = spec or made_spec()
    return RunStarted(
        run_id, spec, spec.weights, 7, "cpu", "A processor", "fp32", 1, "torch", {"torch": "2.9"}
    )


def made_progress(step: int = 1, train_seconds: float = 0.5) -> Progress:
    return Progress(RUN_ID, step, step / 7, 2.25, 1e-3, 1234.5, train_seconds)


def made_epoch(
    epoch: int = 1,
    *,
    run_id: str = RUN_ID,
    val_accuracy: float = 81.5,
    images_per_second: float = 1000.0,
    train_seconds: float = 1.5,
) -> EpochEnded:
    return EpochEnded(
        run_id, epoch, 0.75, 0.5, val_accuracy, 1e-3, images_per_second, train_seconds
    )


def made_finished(run_id: str = RUN_ID) -> RunFinished:
    return RunFinished(
        run_id,
        Status.FINISHED,
        None,
        1.5,
        2.0,
        made_predictions([True, False]),
        made_predictions([True, True, False, True], sure=200),
        "ab" * 32,
    )


def made_record(
    model: str | None = "fcn-50k",
    correct: Sequence[bool] = (),
    *,
    spec: RunSpec | None = None,
    seed: int = 0,
    status: Status = Status.FINISHED,
    train_seconds: float = 10.0,
    val_accuracy: float = 90.0,
    dataset: str = "fashion-mnist",
    run_id: str = RUN_ID,
) -> RunRecord:
    """A run of one of the report's models, or of a spec."""
    spec = spec or made_spec(model=model, seed=seed, dataset=dataset)
    finished = status is Status.FINISHED
    test = made_predictions(correct or right_on(0, 880)) if finished else None
    return RunRecord(
        id=run_id,
        spec=spec,
        status=status,
        created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        device="cpu",
        device_name="A processor",
        precision="fp32",
        threads=1,
        versions={"torch": "2.9"},
        kernels="torch",
        epochs=(made_epoch(1, val_accuracy=val_accuracy, train_seconds=train_seconds),),
        cause="It fell over." if status is Status.FAILED else None,
        train_seconds=train_seconds,
        total_seconds=train_seconds + 1,
        test_accuracy=test.accuracy if test else None,
        weights_sha256="ab" * 32 if finished else None,
        validation=made_predictions([True, False]) if finished else None,
        test=test,
    )
