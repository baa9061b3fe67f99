"""Stored networks as teachers: what they answer to the training images is learnt by smaller ones.

A run learns the probabilities that its teachers give to each class, in place of the labels
(distillation, Hinton et al. 2015, at temperature 1 and without the labels). Teachers are named by
their weights, so that the spec alone tells what was learnt. They have learnt from the training
images alone, as their pupils will.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from fashiontui.data import Dataset
from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import NO_TEACHER
from fashiontui.domain.shapes import CLASSES
from fashiontui.domain.spec import RunSpec
from fashiontui.engine.devices import Placement
from fashiontui.engine.evaluate import BATCH
from fashiontui.engine.step import forward
from fashiontui.engine.train import digest_of
from fashiontui.export.weights import stored_network
from fashiontui.store import Store
from fashiontui.store.teachers import teacher

_CPU = Placement(torch.device("cpu"), "fp32", 1)
"""One thread, wherever its pupils train: their labels shall not depend on that."""


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
        networks = [_network(one, wanted[name], store) for one in name.split("+")]
        given = torch.zeros(len(data.labels), CLASSES)
        for network in networks:
            if not _add_answers(network, data.images.cpu(), given, stopping):
                return data
        answers[name] = given.div_(len(networks)).to(data.labels.device)
    return replace(data, answers=answers)


def _network(name: str, pupil: RunSpec, store: Store) -> nn.Module:
    """A teacher, set to answer.

    Raises:
        UsageError: it is not to be had, or has learnt from other images than its pupil shall.
    """
    record = teacher(store, name, pupil.dataset, pupil.split_seed)
    network = stored_network(store, record)
    if not digest_of(network).startswith(name):
        raise UsageError(f"The weights of run {record.id} are no longer those it ended with.")
    return network


@torch.no_grad()
def _add_answers(
    network: nn.Module, images: Tensor, total: Tensor, stopping: Callable[[], bool]
) -> bool:
    """Add a teacher's probabilities to those of others; whether it came to the end.

    Args:
        network: Set to answer.
        images: uint8 (n, 1, 28, 28).
        total: What they are added to, float32 (n, 10).
        stopping: Looked at all the time.
    """
    _CPU.apply()
    for batch, of_batch in zip(torch.split(images, BATCH), torch.split(total, BATCH), strict=True):
        if stopping():
            return False
        of_batch += forward(network, batch, _CPU).softmax(1)
    return True
