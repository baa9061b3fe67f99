"""The network of a stored run, built anew with the weights that were kept."""

from torch import nn

from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.record import RunRecord
from fashiontui.engine.checkpoint import network
from fashiontui.store import Store


def stored_network(store: Store, record: RunRecord) -> nn.Module:
    """A finished run's network, on the CPU, set to predict.

    Raises:
        UsageError: the run is not finished, or its weights are not on this machine.
        CheckpointError: the file of its weights is damaged.
    """
    if record.status is not Status.FINISHED:
        raise UsageError(
            f"Run {record.id} is {record.status.value}; only a finished run has its final weights."
        )
    return network(store.checkpoints.of_finished(record.id), record.spec)
