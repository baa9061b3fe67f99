"""Which data a run gets: Fashion-MNIST where it can be had, the sample set where it cannot."""

from collections.abc import Callable
from pathlib import Path

from fashiontui.data.dataset import Dataset
from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import DataError
from fashiontui.domain.spec import DataChoice


class NotObtainable(DataError):
    """Fashion-MNIST lies nowhere on this machine and could not be downloaded."""


def load(
    choice: DataChoice,
    folders: list[Path],
    notice: Callable[[str], None],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Dataset:
    """The data set of that name, on the CPU.

    Args:
        choice: ``auto`` is Fashion-MNIST and, where it can be neither found nor downloaded, the
            embedded sample set.
        folders: Where to look, in order; a download goes to the first.
        notice: Told, in one sentence each, what the user should know.
        progress: Told how many bytes of a download have arrived, and how many there are in all.

    Raises:
        DataError: the data cannot be had, or what lies there is not Fashion-MNIST.
    """
    if choice == "sample":
        return sample_set()
    from fashiontui.data import fashion_mnist

    try:
        return fashion_mnist.load(folders, notice, progress)
    except NotObtainable as error:
        if choice == "fashion-mnist":
            raise
        notice(
            f"{error} TRAINING ON THE EMBEDDED SAMPLE SET INSTEAD: its figures say nothing about "
            "Fashion-MNIST."
        )
        return sample_set()
