"""The test images that stored predictions are about, found without torch."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from fashiontui.domain.errors import DataError
from fashiontui.domain.shapes import IMAGE_SIDE
from fashiontui.domain.spec import DatasetName
from fashiontui.images.idx import read_items
from fashiontui.images.sample import drawn

ARCHIVE = "t10k-images-idx3-ubyte.gz"
MD5 = "bef4ecab320f06d8554ea6380940ec79"
"""Of the archive, as its authors publish it (github.com/zalandoresearch/fashion-mnist)."""
MOST_BYTES = 10_000_000
"""The archive has 4,422,102."""
_PLACES = ("", "raw", "FashionMNIST/raw")
"""Where in a folder it may lie, as ``data/fashion_mnist.py`` looks for all four."""


def test_images(dataset: DatasetName, folders: Sequence[Path]) -> np.ndarray:
    """The test images of a data set, uint8 (n, 28, 28), in their order.

    Args:
        dataset: Which.
        folders: Where Fashion-MNIST may lie, in order.

    Raises:
        DataError: they lie nowhere here, or what lies there is not Fashion-MNIST's.
    """
    if dataset == "sample":
        return drawn().test_images
    return _read(*(folder / place / ARCHIVE for folder in folders for place in _PLACES))


@cache
def _read(*paths: Path) -> np.ndarray:
    for path in paths:
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != MD5:
            raise DataError(
                f"{path} is not Fashion-MNIST's (its checksum differs); delete it and download it "
                "again with d."
            )
        return read_items(content, (IMAGE_SIDE, IMAGE_SIDE))
    raise DataError("The test images are not on this machine; d gets Fashion-MNIST.")
