"""A data set as a file that several processes map into memory: they share one copy of it."""

from pathlib import Path

import safetensors.torch

from fashiontui.data.dataset import Dataset
from fashiontui.domain.spec import DatasetName

_ANSWERS = "answers."


def write_mapped(data: Dataset, path: Path) -> None:
    """Write a data set for ``read_mapped``.

    Args:
        data: On any device.
        path: The file to make.
    """
    tensors = {
        "images": data.images,
        "labels": data.labels,
        "test_images": data.test_images,
        "test_labels": data.test_labels,
        **{_ANSWERS + name: given for name, given in data.answers.items()},
    }
    safetensors.torch.save_file({name: t.cpu().contiguous() for name, t in tensors.items()}, path)


def read_mapped(path: Path, name: DatasetName) -> Dataset:
    """The data set of such a file, on the CPU; pages are read when they are first used."""
    tensors = safetensors.torch.load_file(path)
    answers = {key: tensors.pop(key) for key in list(tensors) if key.startswith(_ANSWERS)}
    return Dataset(
        name,
        **tensors,
        answers={key.removeprefix(_ANSWERS): given for key, given in answers.items()},
    )
