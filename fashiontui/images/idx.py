"""IDX, the format of MNIST and its kin, read from gzipped bytes without trusting their header."""

import math
import struct
import zlib

import numpy as np

from fashiontui.domain.errors import DataError

MOST_ITEMS = 60_000
"""Fashion-MNIST's training set; no archive of it has more."""
_UNSIGNED_BYTES = 8
_GZIP = 31
"""What zlib calls a gzip stream with the largest window."""
_PIECE = 2**20
"""Bytes unpacked at a time: in one go, what comes out would lie in memory twice."""


def read_items(archive: bytes, item: tuple[int, ...]) -> np.ndarray:
    """Items of a gzipped IDX file, uint8 (n, ...).

    Args:
        archive: The file's bytes.
        item: Size that every item must have: () for labels.

    Raises:
        DataError: it is anything else.
    """
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
    return np.frombuffer(content, dtype=np.uint8, offset=header.size).reshape(count, *item)


def _unpacked(archive: bytes, most_bytes: int) -> bytearray:
    """The one gzip stream that these bytes are; no more is unpacked than may be there."""
    stream, content = zlib.decompressobj(wbits=_GZIP), bytearray()
    for at in range(0, len(archive), _PIECE):
        try:
            content += stream.decompress(archive[at : at + _PIECE], most_bytes + 1 - len(content))
        except zlib.error as error:
            raise DataError(f"it cannot be unpacked ({error})") from error
        if len(content) > most_bytes:
            raise DataError(f"it unpacks to more than {most_bytes:,} bytes")
    if not stream.eof or stream.unused_data:
        raise DataError("it is cut short, or something follows its end")
    return content
