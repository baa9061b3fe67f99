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
    Progress,
    RunFinished,
    RunStarted,
    Status,
)
from fashiontui.engine.evaluate import evaluation
from fashiontui.engine.inspect import inspection
from fashiontui.engine.state import TrainingState
from fashiontui.engine.step import lr_at

TICK_SECONDS = 0.1
"""Time between two ``Progress`` events: often enough for a moving chart, rare enough to be free."""


def train(
    state: TrainingState, data: Dataset, run_id: str = "", with_test: bool = True
) -> Generator[Event, None, nn.Module]:
    """Train a network to the end of its run and score it; the return value is the network.

    The same spec, data and placement give bit-identical weights, in one go or resumed from any
    state in between. The last epoch's network is the one that counts; the test set is looked at
    once, at the end. Closing the generator stops training at the next batch; at every yield the
    state is that of a run between two batches.

    Args:
        state: Where the run stands; changed as it goes on.
        data: On the placement's device.
        run_id: Handed on in every event.
        with_test: Whether the test set is scored; of a trial it is not, unless that is chosen.

    Raises:
        TrainingError: the loss is no longer a finite number.
        UsageError: the data lack the answers of the spec's teacher.
    """
    spec, settings, net, placement = state.spec, state.spec.settings, state.net, state.placement
    placement.apply()
    begun, seconds_before = monotonic(), state.seconds
    training, validation = split(data.labels, spec.split_seed)
    val_images, val_labels = data.images[validation], data.labels[validation]
    lesson = data.lesson(settings.teacher)

    batch_size = min(settings.batch_size, len(training))
    steps_per_epoch = len(training) // batch_size
    steps = settings.epochs * steps_per_epoch
    yield RunStarted(
        run_id,
        spec,
        sum(parameter.numel() for parameter in net.model.parameters()),
        steps,
        str(placement.device),
        placement.device_name,
        placement.precision,
        placement.threads,
        placement.kernels,
        {"fashiontui": __version__, "torch": torch.__version__},
    )

    started = monotonic() - state.seconds  # as if the run had never paused
    val_predictions = None
    while state.epochs < settings.epochs:
        tick = monotonic()
        epoch_began = tick - state.epoch_seconds
        if state.order is None:
            shuffled = torch.randperm(
                len(training), generator=net.generator, device=placement.device
            )
            state.order = training[shuffled]
            state.epoch_loss.zero_()
        ticked_step, ticked_loss = state.step, state.epoch_loss.clone()
        done = state.step - state.epochs * steps_per_epoch
        for batch in torch.split(state.order, batch_size)[done:steps_per_epoch]:
            lr = lr_at(state.step, steps, settings)
            state.epoch_loss += net.step(data.images[batch], lesson[batch], lr)
            state.step += 1
            if (now := monotonic()) - tick >= TICK_SECONDS:
                state.seconds, state.epoch_seconds = now - started, now - epoch_began
                loss = (state.epoch_loss - ticked_loss).item() / (state.step - ticked_step)  # waits
                yield Progress(
                    run_id,
                    state.step,
                    state.step / steps_per_epoch,
                    _finite(loss, state.step),
                    lr,
                    (state.step - ticked_step) * batch_size / (now - tick),
                    state.seconds,
                )
                tick, ticked_step = monotonic(), state.step
                ticked_loss.copy_(state.epoch_loss)
        train_loss = _finite((state.epoch_loss / steps_per_epoch).item(), state.step)  # waits
        state.epoch_seconds = monotonic() - epoch_began
        score = yield from evaluation(net.scored, val_images, val_labels, placement, run_id)
        val_predictions = score.predictions
        state.seconds = monotonic() - started
        state.last_epoch = EpochEnded(
            run_id,
            state.epochs + 1,
            train_loss,
            _finite(score.loss, state.step),
            score.predictions.accuracy,
            lr_at(state.step - 1, steps, settings),
            steps_per_epoch * batch_size / state.epoch_seconds,
            state.seconds,
        )
        state.order, state.epoch_seconds = None, 0.0
        yield state.last_epoch
        yield inspection(run_id, state.epochs, net.scored, val_images, placement)
    if val_predictions is None:  # resumed between the last epoch and the test
        score = yield from evaluation(net.scored, val_images, val_labels, placement, run_id)
        val_predictions = score.predictions
    test = None
    if with_test:
        score = yield from evaluation(
            net.scored, data.test_images, data.test_labels, placement, run_id
        )
        test = score.predictions
    yield RunFinished(
        run_id,
        Status.FINISHED,
        None,
        state.seconds,
        seconds_before + monotonic() - begun,
        val_predictions,
        test,
        digest_of(net.scored),
    )
    return net.scored


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


def digest_of(model: nn.Module) -> str:
    """SHA-256 of a network: over every parameter and running statistic, in order."""
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
