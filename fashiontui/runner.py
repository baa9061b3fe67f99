"""Runs a spec: keeps what the engine yields, passes it on, gives every run a final state."""

from collections.abc import Generator
from contextlib import closing

import torch

from fashiontui.data import Dataset
from fashiontui.domain.errors import FashiontuiError, TrainingError
from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted, Status
from fashiontui.domain.history import History
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.text import printable
from fashiontui.engine import Placement, train
from fashiontui.store import Store
from fashiontui.store.store import new_run_id


def run(
    spec: RunSpec, data: Dataset, placement: Placement, store: Store
) -> Generator[Event, None, None]:
    """Train one spec, storing each event before it is passed on.

    The last event is a ``RunFinished`` with status finished or failed. Closing the generator, or
    Ctrl+C, ends the run as stopped; what it learned until then stays in the store.

    Args:
        spec: What to train.
        data: On the placement's device.
        placement: Device, precision and threads.
        store: Where the run is kept.

    Raises:
        StoreError: the store cannot be written; the run cannot go on.
        TrainingError: it failed before it started, as for want of memory.
    """
    run_id = new_run_id()
    history = History()
    try:
        with closing(train(spec, data, placement, run_id)) as events:
            for event in events:
                _keep(event, store)
                history.fold(event)
                yield event
    except (GeneratorExit, KeyboardInterrupt):
        if history.started and not history.finished:
            store.end(_ended_early(run_id, history, Status.STOPPED))
        raise
    except TrainingError as error:
        yield _failed(run_id, history, store, str(error))
    except torch.OutOfMemoryError:
        yield _failed(
            run_id,
            history,
            store,
            f"{placement.device_name} is out of memory; use a smaller --batch-size.",
        )
    except FashiontuiError:
        raise
    except Exception as error:
        if history.started and not history.finished:
            cause = f"{type(error).__name__}: {error}"
            store.end(_ended_early(run_id, history, Status.FAILED, cause))
        raise


def _keep(event: Event, store: Store) -> None:
    match event:
        case RunStarted():
            store.begin(event)
        case EpochEnded():
            store.add_epoch(event)
        case RunFinished():
            store.end(event)


def _failed(run_id: str, history: History, store: Store, cause: str) -> RunFinished:
    """Store the end of a run that failed, and return it.

    Raises:
        TrainingError: it failed before it started, so nothing of it is stored.
    """
    if history.started is None:
        raise TrainingError(cause)
    end = _ended_early(run_id, history, Status.FAILED, cause)
    store.end(end)
    return end


def _ended_early(
    run_id: str, history: History, status: Status, cause: str | None = None
) -> RunFinished:
    """The end of a run that did not reach its last epoch."""
    seconds = history.train_seconds
    shown = None if cause is None else printable(cause)  # libraries may say anything
    return RunFinished(run_id, status, shown, seconds, seconds)
