"""Scoring a network on images it does not learn from."""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashiontui.domain.events import Predictions, Scoring
from fashiontui.domain.shapes import CLASSES
from fashiontui.engine.devices import Placement
from fashiontui.engine.step import forward

BATCH = 250
"""Images scored at once on a CPU: more of them leave its caches, and take more memory."""
BATCH_BY_ROWS = 128
"""The same by rows, which take more memory for each image."""
DEVICE_BATCH = 2000
"""Images scored at once elsewhere: enough to fill a GPU."""


@dataclass(frozen=True)
class Score:
    """How a network does on a set of images."""

    loss: float
    """Mean cross-entropy in nats, without label smoothing."""
    predictions: Predictions


def images_at_once(placement: Placement) -> int:
    """How many images a network scores together."""
    if placement.kernels == "rows":
        return BATCH_BY_ROWS
    return BATCH if placement.device.type == "cpu" else DEVICE_BATCH


def evaluate(model: nn.Module, images: Tensor, labels: Tensor, placement: Placement) -> Score:
    """Score a network in one go; see ``evaluation``."""
    scoring = evaluation(model, images, labels, placement)
    while True:
        try:
            next(scoring)
        except StopIteration as end:
            score: Score = end.value
            return score


@torch.inference_mode()
def evaluation(
    model: nn.Module, images: Tensor, labels: Tensor, placement: Placement, run_id: str = ""
) -> Generator[Scoring, None, Score]:
    """Score a network, telling after every batch how far it is, and leave it in training mode.

    Args:
        model: From images (n, 1, 28, 28) to logits (n, 10), on the placement's device.
        images: uint8 (n, 1, 28, 28), on that device.
        labels: int64 (n,), on that device.
        placement: Device and precision.
        run_id: Handed on in every event.
    """
    model.eval()
    loss = torch.zeros((), device=placement.device)
    predicted = torch.empty(len(labels), dtype=torch.uint8, device=placement.device)
    shares = torch.empty((len(labels), CLASSES), dtype=torch.uint8, device=placement.device)
    size = images_at_once(placement)
    for start in range(0, len(labels), size):
        logits = forward(model, images[start : start + size], placement)
        loss += F.cross_entropy(logits, labels[start : start + size], reduction="sum")
        predicted[start : start + size] = logits.argmax(1)
        shares[start : start + size] = (255 * logits.softmax(1)).round_()
        yield Scoring(run_id, min(start + size, len(labels)), len(labels))
    model.train()
    return Score(
        loss.item() / len(labels),
        Predictions(
            predicted.cpu().numpy().tobytes(),
            labels.to(torch.uint8).cpu().numpy().tobytes(),
            shares.cpu().numpy().tobytes(),
        ),
    )
