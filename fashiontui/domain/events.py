"""What happens during a run, as small frozen values: the engine yields them, everyone else reads.

Accuracies are percentages (0-100), times are seconds, losses are mean cross-entropies in nats.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from fashiontui.domain.spec import Kernels, Precision, RunSpec


class Status(StrEnum):
    """State of a run; every run ends in exactly one of the last four."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    """Ended early by the user."""
    FAILED = "failed"
    """Ended by an error, whose cause is kept."""
    INTERRUPTED = "interrupted"
    """Its process vanished; found at the next start."""


UNFINISHED = (Status.STOPPED, Status.INTERRUPTED)
"""Runs in these states can be continued."""


@dataclass(frozen=True)
class Predictions:
    """What a network made of a set of images, and what they are: one byte an image."""

    predicted: bytes = field(repr=False)
    labels: bytes = field(repr=False)
    probabilities: bytes | None = field(default=None, repr=False)
    """uint8 (n, 10): each image's class probabilities in 255ths, rounded; None where none were
    kept, as in runs of early versions."""

    @property
    def correct(self) -> list[bool]:
        """For each image, whether its class was predicted."""
        return [a == b for a, b in zip(self.predicted, self.labels, strict=True)]

    @property
    def accuracy(self) -> float:
        """Percentage of images whose class was predicted."""
        return 100 * sum(self.correct) / len(self.labels)


@dataclass(frozen=True)
class TrialMark:
    """Which trial of which study a run is."""

    study: str
    number: int
    run_id: str
    """The id that the run gets: the study knows it before the run begins."""


@dataclass(frozen=True)
class RunStarted:
    """The network is built and the first batch is about to be trained."""

    run_id: str
    spec: RunSpec
    weights: int
    """Trainable parameters, counted in the built network."""
    steps: int
    """Optimiser steps of the whole run."""
    device: str
    """cpu, cuda:0, ..."""
    device_name: str
    """What the device calls itself."""
    precision: Precision
    threads: int
    """CPU threads in use."""
    kernels: Kernels
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of the libraries that decide the result."""
    epochs: tuple["EpochEnded", ...] = ()
    """What was trained before, where the run is resumed."""


@dataclass(frozen=True)
class Progress:
    """About every 100 ms: how the last stretch of steps went."""

    run_id: str
    step: int
    """Optimiser steps done so far."""
    epoch: float
    """Epochs done so far, in fractions."""
    loss: float
    """Mean training loss since the last ``Progress``."""
    lr: float
    """Learning rate of the last step."""
    images_per_second: float
    """Training images per second since the last ``Progress``."""
    train_seconds: float
    """Training and validation time so far."""


@dataclass(frozen=True)
class Scoring:
    """A batch of validation or test images is scored; a run can be stopped here too."""

    run_id: str
    done: int
    """Images scored so far."""
    images: int
    """Images to score."""


@dataclass(frozen=True)
class EpochEnded:
    """An epoch is trained and validated."""

    run_id: str
    epoch: int
    """1 for the first."""
    train_loss: float
    """Mean over the epoch's batches, label smoothing included."""
    val_loss: float
    val_accuracy: float
    lr: float
    """Learning rate of the epoch's last step."""
    images_per_second: float
    """Training images per second, validation not counted."""
    train_seconds: float
    """Training and validation time since the run began."""


@dataclass(frozen=True)
class LayerStatistics:
    """One layer with weights after an epoch, measured on a few validation images."""

    name: str
    units: int
    """Hidden units or channels."""
    weight_mean: float
    weight_std: float
    """Of its matrix or kernels, without biases."""
    output_mean: float
    output_std: float
    """Of what it hands on, after normalisation and the nonlinearity where they follow."""
    dead: int
    """Units that put out 0 for every image: ReLU has switched them off."""


@dataclass(frozen=True)
class FirstLayer:
    """What the first layer looks for, as small pictures; follows every ``EpochEnded``.

    With it go figures on every layer.
    """

    run_id: str
    epoch: int
    count: int
    """How many kernels or hidden units are shown; of stored epochs perhaps none."""
    side: int
    """Height and width of each picture: 5 for a convolution's kernels, 28 for hidden units."""
    pixels: bytes = field(repr=False)
    """int8, (count, side, side): weights scaled so that the largest of all becomes 127."""
    layers: tuple[LayerStatistics, ...] = ()
    """Every layer with weights, in order."""


@dataclass(frozen=True)
class RunFinished:
    """The run is over; the test set was scored if it ran to its end and is no trial of a study."""

    run_id: str
    status: Status
    cause: str | None = None
    """Why it failed, in one sentence."""
    train_seconds: float = 0.0
    """Training and validation, without loading, imports and the final test."""
    total_seconds: float = 0.0
    """From the building of the network to the end of the final test."""
    validation: Predictions | None = None
    """What the last epoch's network makes of the validation images."""
    test: Predictions | None = None
    """What it makes of the test images."""
    weights_sha256: str | None = None
    """Digest of the final weights: equal digests mean bit-identical networks."""


Event = RunStarted | Progress | Scoring | EpochEnded | FirstLayer | RunFinished
