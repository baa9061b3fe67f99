"""IDX, the format of MNIST and its kin, read from gzipped bytes without trusting their header."""

import math
import struct
import zlib

import torch
from torch import Tensor

from fashiontui.domain.errors import DataError
from fashiontui.domain.shapes import CLASSES, IMAGE_SIDE

MOST_ITEMS = 60_000
"""Fashion-MNIST's training set; no archive of it has more."""
_UNSIGNED_BYTES = 8
_GZIP = 31
"""What zlib calls a gzip stream with the largest window."""


def read_images(archive: bytes) -> Tensor:
    """Images of a gzipped IDX file, uint8 (n, 1, 28, 28).

    Raises:
        DataError: it is anything else.
    """
    return _read(archive, (IMAGE_SIDE, IMAGE_SIDE)).unsqueeze(1)


def read_labels(archive: bytes) -> Tensor:
    """Labels of a gzipped IDX file, int64 (n,).

    Raises:
        DataError: it is anything else.
    """
    labels = _read(archive, ()).long()
    if labels.max() >= CLASSES:
        raise DataError(f"it has a label {labels.max()}; there are {CLASSES} classes")
    return labels


def _read(archive: bytes, item: tuple[int, ...]) -> Tensor:
    """Items of unsigned bytes, all of this size."""
    header = struct.Struct(f">HBB{1 + len(item)}I")
    content = _unpacked(archive, header.size + MOST_ITEMS * math.prod(item))
    if len(content) < header.size:
        raise DataError("it ends before its header does")
    zeros, kind, dimensions, count, *size = header.unpack_from(content)
    if (zeros, kind, dimensions) != (0, _UNSIGNED_BYTES, 1 + len(item)):
        raise DataError("it is no IDX file of unsigned bytes in as many dimensions")
    if tuple(size) != item:
        raise DataError(f"its images are {size[0]} by {size[1]} pixels")
    if count == 0:
        raise DataError("it holds nothing")
    follow = len(content) - header.size
    if follow != count * math.prod(item):
        raise DataError(f"its header announces {count:,} items and {follow:,} bytes follow")
    return torch.frombuffer(content, dtype=torch.uint8, offset=header.size).view(count, *item)


def _unpacked(archive: bytes, most_bytes: int) -> bytearray:
    """The one gzip stream that these bytes are; no more is unpacked than may be there."""
    stream = zlib.decompressobj(wbits=_GZIP)
    try:
        content = stream.decompress(archive, most_bytes + 1)
    except zlib.error as error:
        raise DataError(f"it cannot be unpacked ({error})") from error
    if len(content) > most_bytes:
        raise DataError(f"it unpacks to more than {most_bytes:,} bytes")
    if not stream.eof or stream.unused_data:
        raise DataError("it is cut short, or something follows its end")
    return bytearray(content)
