"""All that the rest of a run depends on; from a checkpoint it goes on as if never interrupted."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fashiontui.domain.events import EpochEnded
from fashiontui.domain.spec import RunSpec
from fashiontui.engine.devices import Placement
from fashiontui.engine.step import Trainable, trainable
from fashiontui.models import build


@dataclass
class TrainingState:
    """A run between two batches."""

    spec: RunSpec
    placement: Placement
    net: Trainable
    """Network, optimiser, and the generator that order, dropout and augmentation draw from."""
    epoch_loss: Tensor
    """Float scalar on the device: sum of the losses of the steps of the epoch under way."""
    step: int = 0
    """Optimiser steps done."""
    order: Tensor | None = None
    """int64 (n,): the training images as the epoch under way takes them; None between epochs."""
    epoch_seconds: float = 0.0
    """Time spent training in the epoch under way."""
    seconds: float = 0.0
    """Time spent training and validating."""
    last_epoch: EpochEnded | None = None
    """The newest finished epoch."""

    @property
    def epochs(self) -> int:
        """Finished epochs."""
        return self.last_epoch.epoch if self.last_epoch else 0


def begin(spec: RunSpec, placement: Placement) -> TrainingState:
    """The state of a run before its first batch.

    Args:
        spec: What to train.
        placement: Device, precision, threads and kernels.
    """
    generator = torch.Generator(placement.device).manual_seed(spec.seed)
    net = trainable(build(spec, generator, placement.kernels), spec.settings, placement, generator)
    return TrainingState(spec, placement, net, torch.zeros((), device=placement.device))
