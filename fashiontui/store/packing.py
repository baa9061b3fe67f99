"""The large columns, made small: class probabilities, and pictures of first layers.

Probabilities of 10,000 test images take 28 to 37 KB, those of 6,000 validation images 17 to 22 KB;
pictures of an epoch 10 KB for an FCN and 0.2 to 1.6 KB for a CNN.
"""

import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fashiontui.domain.events import FirstLayer, Predictions
from fashiontui.domain.shapes import CLASSES, IMAGE_SIDE
from fashiontui.domain.text import printable

LEVEL = 6
"""Of zlib; 9 saves one percent more."""
MOST_IMAGES = 60_000
"""No set of predictions is about more."""
MOST_PIXELS = 16 * IMAGE_SIDE**2
"""Pixels that are kept of an epoch: 16 hidden units, or any number of kernels."""
KEPT_EPOCHS = 16
"""A long run keeps the pictures of its newest epoch, and of so many evenly spaced ones at most."""


def spacing(epoch: int) -> int:
    """Of how many epochs one keeps its pictures when a run has come so far: a power of two."""
    return 1 << max(0, (epoch - 1) // KEPT_EPOCHS).bit_length()


def predictions_row(made: Predictions) -> dict[str, object]:
    """The columns of one set of predictions."""
    shares = made.probabilities
    packed = None if shares is None else zlib.compress(shares, LEVEL)
    return {"predicted": made.predicted, "labels": made.labels, "probabilities": packed}


def predictions_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """One set of predictions from its columns, not yet checked.

    Raises:
        ValueError: the probabilities are not those of as many images.
    """
    shares = row["probabilities"]
    if shares is not None:
        shares = _unpacked(shares, CLASSES * min(len(row["labels"]), MOST_IMAGES))
    return {"predicted": row["predicted"], "labels": row["labels"], "probabilities": shares}


def inside_row(seen: FirstLayer) -> dict[str, object]:
    """The columns of what a network looks like after an epoch."""
    count = min(seen.count, MOST_PIXELS // seen.side**2)
    kept = seen.pixels[: count * seen.side**2]
    return {
        "run_id": seen.run_id,
        "epoch": seen.epoch,
        "layers": [asdict(layer) for layer in seen.layers],
        "side": seen.side,
        "pixels": zlib.compress(kept, LEVEL) if kept else None,
    }


def inside_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a network looks like after an epoch from its columns, not yet checked.

    Raises:
        ValueError: the pixels are not those of whole pictures.
    """
    side, pixels = row["side"], b""
    if not 1 <= side <= IMAGE_SIDE:
        raise ValueError("the side of a picture")
    if row["pixels"] is not None:
        pixels = _unpacked(row["pixels"], MOST_PIXELS, exactly=False)
    count, rest = divmod(len(pixels), side**2)
    if rest:
        raise ValueError("pixels")
    layers = [{**layer, "name": printable(str(layer.get("name")))} for layer in row["layers"]]
    return {**row, "count": count, "pixels": pixels, "layers": layers}


def _unpacked(packed: bytes, size: int, exactly: bool = True) -> bytes:
    """The bytes that were packed; no more is unpacked than may be there.

    Raises:
        ValueError: they are more, or fewer where exactly so many are due, or were packed otherwise.
    """
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, size + 1)
    except (zlib.error, TypeError) as error:
        raise ValueError("packed bytes") from error
    whole = stream.eof and not stream.unused_data
    if not whole or len(content) > size or (exactly and len(content) < size):
        raise ValueError("packed bytes")
    return content
