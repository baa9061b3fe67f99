"""A run under way in this process: how it begins, what it tells, what is to be kept beside that.

Nothing here knows where the run is kept: the process that trains need not be the one that writes.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from traceback import extract_tb

import torch

from fashiontui.data import Dataset
from fashiontui.domain.errors import CheckpointError, FashiontuiError, TrainingError
from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted, Status
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.text import printable
from fashiontui.engine.checkpoint import restore, state_bytes, weights_bytes
from fashiontui.engine.devices import Placement, find_device
from fashiontui.engine.state import TrainingState, begin
from fashiontui.engine.train import train


def new_state(spec: RunSpec, placement: Placement) -> TrainingState:
    """The state of a run before its first batch.

    Raises:
        TrainingError: the network cannot be built, as for want of memory.
    """
    try:
        return begin(spec, placement)
    except Exception as error:
        raise TrainingError(cause_of(error, placement)) from error


def restored_state(record: RunRecord, checkpoint: Path | None, data: Dataset) -> TrainingState:
    """The state to continue a run from, placed as it began; anew where it has no epoch yet.

    Args:
        record: The run as it stands.
        checkpoint: Its file, if there is one on this machine.
        data: On the device that the run began on.

    Raises:
        CheckpointError: the file is missing or damaged.
        DeviceError: the device it began on is not there.
        TrainingError: the network cannot be built.
    """
    kernels = record.kernels or "torch"
    placement = Placement(find_device(record.device), record.precision, record.threads, kernels)
    if checkpoint is not None:
        return restore(checkpoint, record.spec, placement, data)
    if record.epochs:
        raise CheckpointError(
            f"The checkpoint of run {record.id} is not on this machine; train the run anew."
        )
    return new_state(record.spec, placement)


def events_of(
    run_id: str, state: TrainingState, data: Dataset, with_test: bool = True
) -> Generator[Event, None, None]:
    """Train from a state on; an error while training is a last event too.

    ``RunStarted`` carries the newest epoch that the state has seen. Closing the generator stops
    training between two batches.

    Raises:
        TrainingError: it failed before it started.
    """
    started = False
    try:
        with closing(train(state, data, run_id, with_test)) as events:
            for event in events:
                if isinstance(event, RunStarted) and state.last_epoch:
                    event = replace(event, epochs=(state.last_epoch,))
                started = True
                yield event
    except Exception as error:
        cause = cause_of(error, state.placement)
        if not started:
            raise TrainingError(cause) from error
        yield RunFinished(run_id, Status.FAILED, cause, state.seconds, state.seconds)


def stopped(run_id: str, state: TrainingState) -> RunFinished:
    """The last event of a run that is stopped between two batches."""
    return RunFinished(run_id, Status.STOPPED, None, state.seconds, state.seconds)


def checkpoint_beside(event: Event, state: TrainingState) -> bytes | None:
    """The file to keep with an event: the state, or, at the end of a run, the weights alone."""
    match event:
        case EpochEnded() | RunFinished(status=Status.STOPPED):
            return state_bytes(state)
        case RunFinished(status=Status.FINISHED):
            return weights_bytes(state)
    return None


def cause_of(error: Exception, placement: Placement) -> str:
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
