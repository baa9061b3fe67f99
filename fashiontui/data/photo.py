"""A picture of any size and polarity, brought to 28×28 as Fashion-MNIST was made.

Xiao, Rasul and Vollgraf (2017, section 2) made theirs of photos on a light background, 762×1000
pixels each: trim the edges close to the colour of the corners; resize the longest edge to 28 by
leaving out rows and columns; sharpen with a Gaussian of radius and standard deviation 1; extend the
shortest edge to 28, the picture in the centre; negate; convert to 8 bits of grey.

Three things are otherwise here, since photos are not all alike. Larger ones are first shrunk to
the size of those. What the background has of grey is taken away, not just what white has. A garment
that is lighter than its background is not negated, as it is light on dark already.
"""

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from fashiontui.domain.errors import UsageError
from fashiontui.domain.family import IMAGE_SIDE
from fashiontui.domain.files import read_bytes

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""Of files that are read: what cameras, browsers and this data set's users write."""
MOST_BYTES = 50_000_000
MOST_PIXELS = 60_000_000
"""Largest picture that is unpacked; cameras have 12 to 50 million pixels."""
LONGEST_EDGE = 1000
"""Pixels, of the pictures that Fashion-MNIST was made of."""
CLOSE = 0.05
"""Share of the largest distance between two colours within which a pixel is background."""
RESAMPLING = Image.Resampling.NEAREST
"""Rows and columns are left out, not averaged."""
SMOOTHED = 250
"""The edges of a garment are looked for in means over a 250th of the picture to each side."""
SHARPEN = (-0.0586, -0.0965, -0.0586, -0.0965, 1.5589, -0.0965, -0.0586, -0.0965, -0.0586)
"""ImageMagick's ``-sharpen 1x1``: a Gaussian of deviation 1 on 3×3 pixels, taken from twice its
sum in the centre."""


@dataclass(frozen=True)
class Seen:
    """What a network gets to see of a picture."""

    pixels: bytes = field(repr=False)
    """28 rows of 28 values, 0 for the background and 255 for what differs most from it."""
    plain: bool
    """Whether there is nothing but background."""
    negated: bool
    """Whether the garment was darker than its background."""


def read_photo(path: Path) -> Image.Image:
    """A picture from a file that anyone may have made, upright, in RGB.

    Raises:
        UsageError: it cannot be read, is no picture, is damaged, or is too large.
    """
    content = read_bytes(path, "the picture", MOST_BYTES)
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            return _in_rgb(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError as error:
        raise UsageError(
            f"Cannot read the picture {path}: it is none of {', '.join(FORMATS)}."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UsageError(
            f"Cannot read the picture {path}: it has more than {MOST_PIXELS:,} pixels."
        ) from error
    except MemoryError as error:
        raise UsageError(f"Cannot read the picture {path}: it does not fit in memory.") from error
    except Exception as error:  # Pillow's readers raise anything on damaged files
        raise UsageError(f"Cannot read the picture {path}: it is damaged.") from error


def as_seen(picture: Image.Image) -> Seen:
    """A picture as the data set would have it.

    Args:
        picture: In RGB. One of 28×28 is taken as it is, but for its polarity.
    """
    if picture.size == (IMAGE_SIDE, IMAGE_SIDE):
        return _ready(np.asarray(picture.convert("L"), dtype=np.uint8))
    small = picture.copy()
    small.thumbnail((LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.BOX)
    # A camera's noise differs from the background too; the mean of a few pixels does not.
    smooth = small.filter(ImageFilter.BoxBlur(max(small.size) // SMOOTHED))
    colours = np.asarray(smooth, dtype=np.float32)
    background = _background(colours)
    distance = np.sqrt(((colours - background) ** 2).sum(axis=2))
    differs = distance > CLOSE * 255 * np.sqrt(3)
    if not differs.any():
        return Seen(bytes(IMAGE_SIDE**2), plain=True, negated=False)
    rows, columns = differs.any(axis=1).nonzero()[0], differs.any(axis=0).nonzero()[0]
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)

    ground = float(np.dot(background, (0.299, 0.587, 0.114)))  # as Pillow's grey
    grey = small.convert("L")
    garment = np.asarray(grey, dtype=np.float32)[differs]
    negated = bool(garment.mean() < ground)
    canvas = _centred(_subsampled(grey.crop(box)), round(ground))
    values = np.asarray(canvas, dtype=np.float32)
    apart = (ground - values) / max(ground, 1) if negated else (values - ground) / (256 - ground)
    pixels = (255 * apart).clip(0, 255).round().astype(np.uint8)
    return Seen(pixels.tobytes(), plain=False, negated=negated)


def _in_rgb(picture: Image.Image) -> Image.Image:
    """Any mode in RGB; what is transparent becomes white."""
    if picture.mode.startswith("I"):  # 16 bits of grey, or 32 that hold 16
        wide = np.asarray(picture).astype(np.int64)
        picture = Image.fromarray((wide.clip(0, 65535) >> 8).astype(np.uint8))
    layered = picture.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB")


def _ready(grey: np.ndarray) -> Seen:
    """A picture of the right size: background dark, as the median of its border says."""
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    negated = bool(np.median(border) > 127)
    pixels = 255 - grey if negated else grey
    return Seen(pixels.tobytes(), plain=bool(np.ptp(grey) <= CLOSE * 255), negated=negated)


def _background(colours: np.ndarray) -> np.ndarray:
    """The median colour of the four corners, float32 (3,)."""
    side = max(1, min(colours.shape[:2]) // 50)
    corners = [colours[y, x] for y in (slice(0, side), slice(-side, None)) for x in
               (slice(0, side), slice(-side, None))]  # fmt: skip
    return np.asarray(np.median(np.concatenate([c.reshape(-1, 3) for c in corners]), axis=0))


def _subsampled(grey: Image.Image) -> Image.Image:
    """Its longest edge 28 pixels long, rows and columns left out."""
    scale = IMAGE_SIDE / max(grey.size)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return grey.resize(size, RESAMPLING)


def _centred(grey: Image.Image, ground: int) -> Image.Image:
    """Sharpened, in the centre of 28×28 pixels of background."""
    room = IMAGE_SIDE + 2  # a pixel more on every side, which the filter leaves as it is
    canvas = Image.new("L", (room, room), ground)
    canvas.paste(grey, ((room - grey.width) // 2, (room - grey.height) // 2))
    sharp = canvas.filter(ImageFilter.Kernel((3, 3), SHARPEN))
    return sharp.crop((1, 1, room - 1, room - 1))
