"""An IDX archive is what its header says, or it is refused before anything is made of it."""

import gzip
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import torch
from conftest import idx_gz

from fashiontui.data.idx import read_images, read_labels
from fashiontui.domain.errors import DataError
from fashiontui.images.idx import MOST_ITEMS

IMAGES = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
LABELS = np.array([3, 0, 9], dtype=np.uint8)


def archive(magic: int, *sizes: int, content: bytes = b"") -> bytes:
    """A gzipped IDX file with any header."""
    return gzip.compress(struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + content, mtime=0)


def test_images_and_labels_are_read_as_they_were_written():
    images, labels = read_images(idx_gz(IMAGES)), read_labels(idx_gz(LABELS))
    assert torch.equal(images[:, 0], torch.from_numpy(IMAGES))
    assert (images.dtype, tuple(images.shape)) == (torch.uint8, (2, 1, 28, 28))
    assert (labels.dtype, labels.tolist()) == (torch.int64, [3, 0, 9])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut short"),
        (b"not gzip", "cannot be unpacked"),
        (idx_gz(LABELS)[:-1], "cut short"),
        (idx_gz(LABELS) + b"x", "something follows"),
        (idx_gz(LABELS) * 2, "something follows"),
        (gzip.compress(b"\0\0", mtime=0), "ends before its header"),
        (archive(0x0801, 4, content=bytes(3)), "announces 4 items and 3 bytes follow"),
        (archive(0x0801, 2, content=bytes(3)), "announces 2 items and 3 bytes follow"),
        (archive(0x0801, 2**32 - 1), "announces 4,294,967,295 items"),
        (archive(0x0801, 0), "holds nothing"),
        (archive(0x0D01, 1, content=bytes(1)), "no IDX file of unsigned bytes"),
        (archive(0x010801, 1, content=bytes(1)), "no IDX file of unsigned bytes"),
        (archive(0x0803, 1, 28, 28, content=bytes(784)), "no IDX file of unsigned bytes"),
        (archive(0x0801, 1, content=b"\x0a"), "label 10; there are 10 classes"),
    ],
)
def test_labels_that_are_not_what_they_say_are_refused(content, said):
    with pytest.raises(DataError, match=said):
        read_labels(content)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((1, 27, 28), "27 by 28 pixels"),
        ((1, 2**32 - 1, 2**32 - 1), "4294967295 by 4294967295 pixels"),
        ((2, 28, 28), "announces 2 items and 784 bytes follow"),
        ((2**32 - 1, 28, 28), "announces 4,294,967,295 items"),
    ],
)
def test_images_that_are_not_what_they_say_are_refused(sizes, said):
    with pytest.raises(DataError, match=said):
        read_images(archive(0x0803, *sizes, content=bytes(784)))


def test_a_bomb_is_refused_without_being_unpacked():
    packer = zlib.compressobj(9, wbits=31)
    megabyte = bytes(2**20)
    bomb = b"".join([packer.compress(megabyte) for _ in range(400)]) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="unpacks to more than 60,008 bytes"):
            read_labels(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert MOST_ITEMS == 60_000
