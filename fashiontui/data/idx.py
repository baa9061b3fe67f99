"""Images and labels of gzipped IDX files as tensors."""

import torch
from torch import Tensor

from fashiontui.domain.errors import DataError
from fashiontui.domain.shapes import CLASSES, IMAGE_SIDE
from fashiontui.images.idx import read_items


def read_images(archive: bytes) -> Tensor:
    """Images of a gzipped IDX file, uint8 (n, 1, 28, 28).

    Raises:
        DataError: it is anything else.
    """
    return torch.from_numpy(read_items(archive, (IMAGE_SIDE, IMAGE_SIDE))).unsqueeze(1)


def read_labels(archive: bytes) -> Tensor:
    """Labels of a gzipped IDX file, int64 (n,).

    Raises:
        DataError: it is anything else.
    """
    labels = torch.from_numpy(read_items(archive, ())).long()
    if labels.max() >= CLASSES:
        raise DataError(f"it has a label {labels.max()}; there are {CLASSES} classes")
    return labels
