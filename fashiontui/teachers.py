"""Stored networks as teachers: what they answer to the training images is learnt by smaller ones.

A run learns the probabilities that its teacher gives to each class, in place of the labels (Hinton
et al. 2015, at temperature 1 and without the labels; benchmarks/distillation.py tried others). The
teacher is named by its weights, so that the spec alone tells what was learnt; it has seen the
training images alone, as its pupils will.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from fashiontui.data import Dataset
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.recipe import NO_TEACHER, TEACHER_DIGITS
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.engine.devices import Placement
from fashiontui.engine.evaluate import BATCH
from fashiontui.engine.step import forward
from fashiontui.engine.train import digest_of
from fashiontui.export.weights import stored_network
from fashiontui.store import Store

_CPU = Placement(torch.device("cpu"), "fp32", 1)
"""One thread, wherever its pupils train: their labels shall not depend on that."""


def teacher_name(store: Store, run_id: str) -> str:
    """What settings call a run as a teacher.

    Raises:
        UsageError: there is no such run, or it is not finished.
        StoreError: the store cannot be read.
    """
    record = store.get(run_id)
    if record.weights_sha256 is None:
        raise UsageError(f"Run {record.id} is not finished; only finished runs can teach.")
    return record.weights_sha256[:TEACHER_DIGITS]


def taught(
    data: Dataset,
    specs: Iterable[RunSpec],
    store: Store,
    stopping: Callable[[], bool] = lambda: False,
) -> Dataset:
    """The data with what the specs' teachers answer to its training images.

    It takes a minute or so for each teacher that has not answered before.

    Args:
        data: On any device; the teachers answer on the CPU.
        specs: What is to be trained.
        store: Where the teachers are.
        stopping: Looked at all the time; once it is true, the data are returned as they were.

    Raises:
        UsageError: a teacher is not to be had, or has learnt from other images.
        CheckpointError: its weights are damaged.
        StoreError: the store cannot be read.
    """
    wanted = {spec.settings.teacher: spec for spec in specs}
    answers = dict(data.answers)
    for name in wanted.keys() - {NO_TEACHER, *answers}:
        network = _network(name, wanted[name], store)
        if (given := _answers(network, data.images.cpu(), stopping)) is None:
            return data
        answers[name] = given.to(data.labels.device)
    return replace(data, answers=answers)


def _network(name: str, pupil: RunSpec, store: Store) -> nn.Module:
    """A teacher, set to answer.

    Raises:
        UsageError: it is not to be had, or has learnt from other images than its pupil shall.
    """
    alike = [record for record in store.runs() if _is(record, name)]
    if not alike:
        raise UsageError(
            f"No run in {store.name} has the weights {name}, which are to teach; train their run "
            "again, or name another with --teacher."
        )
    here = [record for record in alike if store.checkpoints.find(record.id)]
    record = (here or alike)[0]
    if (record.spec.dataset, record.spec.split_seed) != (pupil.dataset, pupil.split_seed):
        raise UsageError(
            f"Run {record.id} has learnt from other images than its pupils shall; name a run on "
            f"{pupil.dataset} with --teacher."
        )
    network = stored_network(store, record)
    if not digest_of(network).startswith(name):
        raise UsageError(f"The weights of run {record.id} are no longer those it ended with.")
    return network


def _is(record: RunRecord, name: str) -> bool:
    digest = record.weights_sha256 or ""
    return record.status is Status.FINISHED and digest.startswith(name)


@torch.no_grad()
def _answers(network: nn.Module, images: Tensor, stopping: Callable[[], bool]) -> Tensor | None:
    """Probabilities float32 (n, 10) of images uint8 (n, 1, 28, 28); None when it shall stop."""
    _CPU.apply()
    given = []
    for batch in torch.split(images, BATCH):
        if stopping():
            return None
        given.append(forward(network, batch, _CPU).softmax(1))
    return torch.cat(given)
