"""Runs a spec: keeps what training tells, passes it on, gives every run a final state."""

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

from fashiontui.data import Dataset
from fashiontui.domain.errors import CheckpointError, FashiontuiError, Pruned, StoreError
from fashiontui.domain.events import (
    EpochEnded,
    Event,
    FirstLayer,
    Progress,
    RunFinished,
    RunStarted,
    Status,
    TrialMark,
)
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.engine import Placement, TrainingState
from fashiontui.engine.stacked import train_stack
from fashiontui.engine.training import (
    cause_of,
    checkpoint_beside,
    events_of,
    new_state,
    restored_state,
    stopped,
)
from fashiontui.store import Store
from fashiontui.store.store import new_run_id

Job = RunSpec | RunRecord
"""A run to train, or one to continue."""
Said = Event | FashiontuiError | None
"""What is heard of a job: None when its turn has come, then events, or why it cannot begin."""

_log = logging.getLogger(__name__)


def run(
    spec: RunSpec,
    data: Dataset,
    placement: Placement,
    store: Store,
    trial: TrialMark | None = None,
) -> Generator[Event, None, None]:
    """Train one spec, storing each event before it is passed on.

    The last event is a ``RunFinished`` with status finished or failed. Closing the generator ends
    the run as stopped, with a checkpoint to continue from; throwing ``Pruned`` into it ends it as
    stopped for that cause, with nothing to continue from.

    Args:
        spec: What to train.
        data: On the placement's device.
        placement: Device, precision, threads and kernels.
        store: Where the run is kept.
        trial: What it is a trial of; the test set is not scored then.

    Raises:
        StoreError: the store cannot be written; the run cannot go on.
        TrainingError: it failed before it started, as for want of memory; nothing is stored.
    """
    run_id = trial.run_id if trial else new_run_id()
    yield from _followed(run_id, new_state(spec, placement), data, Keeper(store, trial=trial))


def resume(record: RunRecord, data: Dataset, store: Store) -> Generator[Event, None, None]:
    """Continue a run that ``Store.resume`` gave to this process, as ``run`` would have gone on.

    It begins anew where it was interrupted before its first checkpoint. Of a trial the test set is
    not scored.

    Args:
        record: The run as it stands.
        data: On the device that the run began on.
        store: Where the run is kept.

    Raises:
        StoreError: the store cannot be written; the run cannot go on.
        CheckpointError: its checkpoint is missing or damaged; the run stays interrupted.
        DeviceError: the device it began on is not there; the run stays interrupted.
    """
    keeper = Keeper(store, record)
    try:
        state = restored_state(record, store.checkpoints.find(record.id), data)
    except BaseException:
        keeper.give_up()
        raise
    yield from _followed(record.id, state, data, keeper)


class Keeper:
    """Writes what the training of one run tells, wherever it trains, to the store."""

    def __init__(
        self, store: Store, record: RunRecord | None = None, trial: TrialMark | None = None
    ) -> None:
        """Args:
        store: Where the run is kept.
        record: The run, where it is continued.
        trial: What it is a trial of, where it begins.
        """
        self._store = store
        self._trial = trial
        self.is_trial = trial is not None or (record is not None and record.study is not None)
        """Whether the test set is not scored."""
        self._record = record
        self._run_id = record.id if record else ""
        self._seconds = 0.0
        self.begun = False
        """Whether it started to train."""
        self.over = False
        """Whether it has its final state."""

    def keep(self, event: Event, checkpoint: Callable[[], bytes | None]) -> Event:
        """Store what of an event is to be kept, and return it as it is to be passed on.

        An epoch's checkpoint is written before its row: should the process die in between, the
        file brings the epoch along. The end of a run is written before its weights: should the
        process die in between, there is more on the disk, not less.

        Args:
            event: The run's next event.
            checkpoint: Makes the file that belongs to it.

        Raises:
            StoreError: the store cannot be written.
            CheckpointError: the checkpoint of an epoch cannot; its row can.
        """
        match event:
            case RunStarted():
                event = self._begin(event)
            case EpochEnded():
                try:
                    self._write(event.run_id, checkpoint())
                finally:
                    self._store.add_epoch(event)
            case FirstLayer():
                self._store.add_inside(event)
            case RunFinished(status=Status.STOPPED):
                try:
                    self._write(event.run_id, checkpoint())
                except CheckpointError as error:
                    event = replace(event, cause=str(error))
                self._end(event)
            case RunFinished():
                self._end(event)
                try:
                    self._write(event.run_id, checkpoint())
                except CheckpointError as error:
                    _log.warning(
                        "The run is finished, but its weights could not be kept. %s", error
                    )
        if isinstance(event, Progress | EpochEnded):
            self._seconds = event.train_seconds
        return event

    def end(self, status: Status, cause: str | None = None) -> RunFinished:
        """End a run that began and can tell nothing more; its last epoch's checkpoint stays.

        Raises:
            StoreError: the store cannot be written.
        """
        finished = RunFinished(self._run_id, status, cause, self._seconds, self._seconds)
        if not self.over:
            self._end(finished)
        return finished

    def prune(self, reason: str) -> RunFinished:
        """End a trial early, leaving nothing to continue.

        Raises:
            StoreError: the store cannot be written.
        """
        finished = self.end(Status.STOPPED, reason)
        self._store.checkpoints.remove(self._run_id)
        return finished

    def give_up(self) -> None:
        """Leave a run that was to be continued, and could not be, as interrupted.

        Raises:
            StoreError: the store cannot be written.
        """
        if (record := self._record) and not self.over:
            spent = (record.train_seconds or 0.0, record.total_seconds or 0.0)
            self._end(RunFinished(record.id, Status.INTERRUPTED, None, *spent))

    def _begin(self, started: RunStarted) -> RunStarted:
        if self._record is None:
            trial = self._trial
            self._store.begin(started, *((trial.study, trial.number) if trial else ()))
        else:
            started = replace(started, epochs=self._reconciled(self._record, started.epochs))
            self._seconds = self._record.train_seconds or 0.0
        self._run_id = started.run_id
        self.begun = True
        return started

    def _reconciled(
        self, record: RunRecord, newest: tuple[EpochEnded, ...]
    ) -> tuple[EpochEnded, ...]:
        """The epochs before the state that a run goes on from; the store has exactly these.

        Args:
            record: The run as the store has it.
            newest: The last epoch that the state has seen, if there is one.
        """
        count = newest[-1].epoch if newest else 0
        self._store.forget_epochs_after(record.id, count)
        epochs = record.epochs[:count]
        if len(epochs) == count - 1:  # killed between the two writings
            self._store.add_epoch(newest[-1])
            epochs = (*epochs, newest[-1])
        if len(epochs) != count:
            raise CheckpointError(f"The store lacks epochs of run {record.id}; train the run anew.")
        return epochs

    def _end(self, finished: RunFinished) -> None:
        self._store.end(finished)
        self.over = True

    def _write(self, run_id: str, checkpoint: bytes | None) -> None:
        if checkpoint is not None:
            self._store.checkpoints.write(run_id, checkpoint)


def run_stack(
    specs: Sequence[RunSpec], data: Dataset, placement: Placement, store: Store
) -> Generator[Event, None, None]:
    """Train specs that differ in their seeds alone at once, each as a run of its own.

    Events are those of ``run``, of all runs in turn; each ends with its own ``RunFinished``.
    Closing the generator ends those under way as stopped, each with a checkpoint.

    Args:
        specs: What to train; see ``engine.stacked.stackable``.
        data: On the placement's device.
        placement: Device, precision, threads and kernels.
        store: Where the runs are kept.

    Raises:
        StoreError: the store cannot be written; the runs cannot go on.
        TrainingError: they failed before they started; nothing is stored.
    """
    states = {new_run_id(): new_state(spec, placement) for spec in specs}
    keepers = {run_id: Keeper(store) for run_id in states}
    yield from _kept(train_stack(states, data), states, keepers)


def _followed(
    run_id: str, state: TrainingState, data: Dataset, keeper: Keeper
) -> Generator[Event, None, None]:
    """Train in this process, keeping each event before it is passed on."""
    training = events_of(run_id, state, data, not keeper.is_trial)
    yield from _kept(training, {run_id: state}, {run_id: keeper})


def _kept(
    training: Generator[Event, None, None],
    states: Mapping[str, TrainingState],
    keepers: Mapping[str, Keeper],
) -> Generator[Event, None, None]:
    """Keep each event of a training, of one run or of several, and pass it on.

    Args:
        training: What to iterate.
        states: Of each run, by its id.
        keepers: Of each run, by its id.
    """
    try:
        with closing(training) as events:
            for event in events:
                run_id = event.run_id
                yield keepers[run_id].keep(event, partial(checkpoint_beside, event, states[run_id]))
    except GeneratorExit:
        for run_id, keeper in keepers.items():
            if keeper.begun and not keeper.over:
                end = stopped(run_id, states[run_id])
                keeper.keep(end, partial(checkpoint_beside, end, states[run_id]))
        raise
    except Pruned as reason:
        for keeper in keepers.values():
            if not keeper.over:
                yield keeper.prune(str(reason))
    except KeyboardInterrupt:  # anywhere, even within a step
        for keeper in keepers.values():
            if keeper.begun:
                keeper.end(Status.STOPPED)
            else:
                keeper.give_up()
        raise
    except StoreError as error:
        for keeper in keepers.values():
            with suppress(StoreError):  # perhaps it can be written again
                if keeper.begun:
                    keeper.end(Status.FAILED, str(error))
                else:
                    keeper.give_up()
        raise
    except Exception as error:
        unbegun = [keeper for keeper in keepers.values() if not keeper.begun]
        for keeper in unbegun:
            keeper.give_up()
        if len(unbegun) == len(keepers):
            raise
        for run_id, keeper in keepers.items():
            if keeper.begun and not keeper.over:
                yield keeper.end(Status.FAILED, cause_of(error, states[run_id].placement))
