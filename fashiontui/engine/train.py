"""The training loop, as a generator of events."""

import hashlib
import math
from collections.abc import Generator
from time import monotonic

import torch
from torch import nn

from fashiontui import __version__
from fashiontui.data import Dataset
from fashiontui.data.dataset import split
from fashiontui.domain.errors import TrainingError
from fashiontui.domain.events import (
    EpochEnded,
    Event,
    FirstLayer,
    Progress,
    RunFinished,
    RunStarted,
    Status,
)
from fashiontui.domain.spec import RunSpec
from fashiontui.engine.devices import Placement
from fashiontui.engine.evaluate import evaluate
from fashiontui.engine.step import lr_at, trainable
from fashiontui.models import build

MAX_PICTURES = 64
"""Most kernels or hidden units handed on as pictures."""
TICK_SECONDS = 0.1
"""Time between two ``Progress`` events: often enough for a moving chart, rare enough to be free."""


def train(
    spec: RunSpec, data: Dataset, placement: Placement, run_id: str = ""
) -> Generator[Event, None, nn.Module]:
    """Train one network and score it; the generator's return value is the trained network.

    The same spec, data and placement give bit-identical weights. The last epoch's network is the
    one that counts; the test set is looked at once, at the end. Closing the generator stops
    training at the next batch.

    Args:
        spec: What to train.
        data: On the placement's device.
        placement: Device, precision and threads.
        run_id: Handed on in every event.

    Raises:
        TrainingError: the loss is no longer a finite number.
    """
    placement.apply()
    begun = monotonic()
    settings, device = spec.settings, placement.device
    generator = torch.Generator(device).manual_seed(spec.seed)
    net = trainable(build(spec, generator), settings, placement, generator)
    training, validation = split(data.labels, spec.split_seed)
    val_images, val_labels = data.images[validation], data.labels[validation]

    batch_size = min(settings.batch_size, len(training))
    steps_per_epoch = len(training) // batch_size
    steps = settings.epochs * steps_per_epoch
    yield RunStarted(
        run_id,
        spec,
        sum(parameter.numel() for parameter in net.model.parameters()),
        steps,
        str(device),
        placement.device_name,
        placement.precision,
        placement.threads,
        {"fashiontui": __version__, "torch": torch.__version__},
    )

    started = tick = monotonic()
    step = ticked_step = 0
    tick_loss = torch.zeros((), device=device)
    val_predictions = None
    for epoch in range(1, settings.epochs + 1):
        epoch_began = monotonic()
        epoch_loss = torch.zeros((), device=device)
        order = training[torch.randperm(len(training), generator=generator, device=device)]
        for batch in torch.split(order, batch_size)[:steps_per_epoch]:
            lr = lr_at(step, steps, settings)
            tick_loss += net.step(data.images[batch], data.labels[batch], lr)
            step += 1
            if (now := monotonic()) - tick >= TICK_SECONDS:
                epoch_loss += tick_loss
                yield Progress(
                    run_id,
                    step,
                    step / steps_per_epoch,
                    _finite((tick_loss / (step - ticked_step)).item(), step),  # waits for it
                    lr,
                    (step - ticked_step) * batch_size / (now - tick),
                    now - started,
                )
                tick, ticked_step = monotonic(), step
                tick_loss.zero_()
        epoch_loss += tick_loss
        tick_loss.zero_()
        train_loss = _finite((epoch_loss / steps_per_epoch).item(), step)  # waits for the device
        epoch_trained = monotonic()
        score = evaluate(net.model, val_images, val_labels, placement)
        val_predictions = score.predictions
        tick, ticked_step = monotonic(), step
        yield EpochEnded(
            run_id,
            epoch,
            train_loss,
            _finite(score.loss, step),
            score.predictions.accuracy,
            lr,
            steps_per_epoch * batch_size / (epoch_trained - epoch_began),
            tick - started,
        )
        yield _first_layer(run_id, epoch, net.model)
    train_seconds = tick - started
    test = evaluate(net.model, data.test_images, data.test_labels, placement)
    yield RunFinished(
        run_id,
        Status.FINISHED,
        None,
        train_seconds,
        monotonic() - begun,
        val_predictions,
        test.predictions,
        _digest(net.model),
    )
    return net.model


def _first_layer(run_id: str, epoch: int, model: nn.Module) -> FirstLayer:
    """The first weights that meet the pixels, as pictures."""
    weights = next(parameter for parameter in model.parameters() if parameter.ndim > 1)
    side = math.isqrt(weights[0].numel())
    pictures = weights.detach()[:MAX_PICTURES].float().reshape(-1, side, side)
    scaled = (pictures * (127 / pictures.abs().max().clamp_min(1e-12))).round().to(torch.int8)
    return FirstLayer(run_id, epoch, len(pictures), side, scaled.cpu().numpy().tobytes())


def _finite(loss: float, step: int) -> float:
    """The loss itself.

    Raises:
        TrainingError: it is not a finite number.
    """
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss is no longer a finite number at step {step}; "
            "train again with a lower learning rate (--lr)."
        )
    return loss


def _digest(model: nn.Module) -> str:
    """SHA-256 over every parameter and running statistic, in order."""
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
