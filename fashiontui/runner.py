"""Runs a spec: keeps what the engine yields, passes it on, gives every run a final state."""

import logging
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import replace
from traceback import extract_tb

import torch

from fashiontui.data import Dataset
from fashiontui.domain.errors import CheckpointError, FashiontuiError, StoreError, TrainingError
from fashiontui.domain.events import (
    EpochEnded,
    Event,
    FirstLayer,
    RunFinished,
    RunStarted,
    Status,
)
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.text import printable
from fashiontui.engine import Placement, TrainingState, begin, find_device, train
from fashiontui.engine.checkpoint import restore, state_bytes, weights_bytes
from fashiontui.store import Store
from fashiontui.store.store import new_run_id

_log = logging.getLogger(__name__)


def run(
    spec: RunSpec, data: Dataset, placement: Placement, store: Store
) -> Generator[Event, None, None]:
    """Train one spec, storing each event before it is passed on.

    The last event is a ``RunFinished`` with status finished or failed. Closing the generator ends
    the run as stopped, with a checkpoint to continue from.

    Args:
        spec: What to train.
        data: On the placement's device.
        placement: Device, precision and threads.
        store: Where the run is kept.

    Raises:
        StoreError: the store cannot be written; the run cannot go on.
        TrainingError: it failed before it started, as for want of memory; nothing is stored.
    """
    try:
        state = begin(spec, placement)
    except Exception as error:
        raise TrainingError(_cause(error, placement)) from error
    yield from _followed(new_run_id(), state, data, store)


def resume(record: RunRecord, data: Dataset, store: Store) -> Generator[Event, None, None]:
    """Continue a run that ``Store.resume`` gave to this process, as ``run`` would have gone on.

    It begins anew where it was interrupted before its first checkpoint.

    Args:
        record: The run as it stands.
        data: On the device that the run began on.
        store: Where the run is kept.

    Raises:
        StoreError: the store cannot be written; the run cannot go on.
        CheckpointError: its checkpoint is missing or damaged; the run stays interrupted.
        DeviceError: the device it began on is not there; the run stays interrupted.
    """
    try:
        state, epochs = _restored(record, data, store)
    except BaseException:
        spent = (record.train_seconds or 0.0, record.total_seconds or 0.0)
        store.end(RunFinished(record.id, Status.INTERRUPTED, None, *spent))
        raise
    yield from _followed(record.id, state, data, store, resumed=True, epochs=epochs)


def _restored(
    record: RunRecord, data: Dataset, store: Store
) -> tuple[TrainingState, tuple[EpochEnded, ...]]:
    """The state to go on from, and the epochs before it; the store has exactly these."""
    placement = Placement(find_device(record.device), record.precision, record.threads)
    path = store.checkpoints.find(record.id)
    if path is None and record.epochs:
        raise CheckpointError(
            f"The checkpoint of run {record.id} is not on this machine; train the run anew."
        )
    if path is None:
        return begin(record.spec, placement), ()
    state = restore(path, record.spec, placement, data)
    store.forget_epochs_after(record.id, state.epochs)
    epochs = record.epochs[: state.epochs]
    if state.last_epoch and len(epochs) == state.epochs - 1:  # killed between the two writings
        store.add_epoch(state.last_epoch)
        epochs = (*epochs, state.last_epoch)
    if len(epochs) != state.epochs:
        raise CheckpointError(f"The store lacks epochs of run {record.id}; train the run anew.")
    return state, epochs


def _followed(
    run_id: str,
    state: TrainingState,
    data: Dataset,
    store: Store,
    resumed: bool = False,
    epochs: tuple[EpochEnded, ...] = (),
) -> Generator[Event, None, None]:
    """Train from a state on, keeping each event before it is passed on."""
    kept = resumed  # whether the store knows the run
    over = False
    try:
        with closing(train(state, data, run_id)) as events:
            for event in events:
                match event:
                    case RunStarted() if resumed:
                        event = replace(event, epochs=epochs)
                    case RunStarted():
                        store.begin(event)
                        kept = True
                    case EpochEnded():
                        _keep_epoch(event, state, store)
                    case FirstLayer():
                        store.add_inside(event)
                    case RunFinished():
                        _keep_end(event, state, store)
                        over = True
                yield event
    except GeneratorExit:
        if kept and not over:
            _keep_stopped(run_id, state, store)
        raise
    except KeyboardInterrupt:  # anywhere, even within a step: the last epoch's checkpoint stays
        if kept and not over:
            store.end(RunFinished(run_id, Status.STOPPED, None, state.seconds, state.seconds))
        raise
    except StoreError as error:
        with suppress(StoreError):  # perhaps it can be written again
            store.end(_failed(run_id, state, str(error)))
        raise
    except Exception as error:
        cause = _cause(error, state.placement)
        if not kept:
            raise TrainingError(cause) from error
        end = _failed(run_id, state, cause)
        store.end(end)
        yield end


def _keep_epoch(ended: EpochEnded, state: TrainingState, store: Store) -> None:
    """The checkpoint first: should the process die in between, it brings the epoch along."""
    try:
        store.checkpoints.write(ended.run_id, state_bytes(state))
    finally:
        store.add_epoch(ended)


def _keep_end(finished: RunFinished, state: TrainingState, store: Store) -> None:
    """The end first: should the process die in between, there is more on the disk, not less."""
    store.end(finished)
    try:
        store.checkpoints.write(finished.run_id, weights_bytes(state))
    except CheckpointError as error:
        _log.warning("The run is finished, but its weights could not be kept. %s", error)


def _keep_stopped(run_id: str, state: TrainingState, store: Store) -> None:
    """Between two batches: all that was learned is kept."""
    cause = None
    try:
        store.checkpoints.write(run_id, state_bytes(state))
    except CheckpointError as error:
        cause = str(error)
    store.end(RunFinished(run_id, Status.STOPPED, cause, state.seconds, state.seconds))


def _failed(run_id: str, state: TrainingState, cause: str) -> RunFinished:
    return RunFinished(run_id, Status.FAILED, cause, state.seconds, state.seconds)


def _cause(error: Exception, placement: Placement) -> str:
    """Why a run failed, in one sentence; for a fault nobody foresaw, with the place in the code."""
    said = printable((str(error).splitlines() or [""])[0].rstrip("."))  # libraries say anything
    if isinstance(error, FashiontuiError):
        return printable(str(error))
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in said:
        return f"{placement.device_name} is out of memory; use a smaller --batch-size."
    if isinstance(error, torch.AcceleratorError):
        return f"{placement.device_name} was lost ({said}); start fashiontui again."
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {said} ({place.name}, line {place.lineno})."
