"""The embedded sample set: ten garment silhouettes, drawn by the program from a seed.

For demonstrations, tests and first runs without the network. It looks like Fashion-MNIST to the
rest of the program but is small and easy; its figures never share a table with the real one's.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.shapes import IMAGE_SIDE

TRAIN_PER_CLASS = 200
TEST_PER_CLASS = 100
SEED = 28
_DRAWN_SIDE = 4 * IMAGE_SIDE
"""Silhouettes are drawn four times too large and shrunk, which smooths their edges."""

Point = tuple[float, float]

_HALF_OUTLINES: dict[str, list[Point]] = {
    # Right halves from top to bottom, x from the centre line, both in pixels of 28; mirrored.
    "T-shirt/top": [(3, 4), (6, 5), (12, 9), (10, 13), (7, 11), (7, 24), (0, 24)],
    "Trouser": [(6, 3), (7, 25), (2, 25), (1, 11), (0, 11)],
    "Pullover": [(3, 3), (6, 4), (9, 8), (12, 23), (9, 24), (7, 12), (7, 24), (0, 24)],
    "Dress": [(2, 2), (4, 3), (4, 11), (8, 26), (0, 26)],
    "Coat": [(4, 2), (7, 4), (9, 9), (11, 25), (8, 25), (8, 27), (1, 27), (1, 9), (0, 5)],
    "Shirt": [(4, 3), (7, 4), (12, 16), (10, 18), (7, 11), (7, 25), (1, 26), (1, 6), (0, 8)],
    "Bag": [(6, 11), (10, 11), (12, 25), (0, 25)],
}
_OUTLINES: dict[str, list[Point]] = {
    # Shoes have no mirror line: whole outlines, from 0 to 28.
    "Sandal": [(2, 21), (8, 18), (15, 17), (24, 10), (26, 11), (20, 18), (26, 22), (2, 23)],
    "Sneaker": [(2, 16), (8, 15), (14, 12), (19, 11), (26, 13), (27, 21), (2, 21)],
    "Ankle boot": [(2, 20), (9, 15), (13, 12), (14, 4), (25, 4), (26, 23), (2, 23)],
}


@dataclass(frozen=True)
class Drawn:
    """All images of the sample set, uint8 (n, 28, 28), and their classes, int64 (n,)."""

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@cache
def drawn() -> Drawn:
    """2,000 training and 1,000 test images, the same on every call."""
    random = np.random.default_rng(SEED)
    return Drawn(*_draw_set(TRAIN_PER_CLASS, random), *_draw_set(TEST_PER_CLASS, random))


def _draw_set(per_class: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = np.tile(np.arange(len(CLASS_NAMES)), per_class)
    images = np.stack([_draw(CLASS_NAMES[label], random) for label in labels])
    return images, labels


def _draw(name: str, random: np.random.Generator) -> np.ndarray:
    """One garment, uint8 (28, 28): jittered outline, random shade, texture and noise."""
    centre = IMAGE_SIDE / 2
    if name in _OUTLINES:
        outline = np.array(_OUTLINES[name], dtype=float)
    else:
        half = _HALF_OUTLINES[name]
        outline = np.array(
            [(centre + x, y) for x, y in half] + [(centre - x, y) for x, y in reversed(half)]
        )
    outline += random.normal(0, 0.7, outline.shape)
    outline = (outline - centre) * random.uniform(0.75, 1.05, 2) + centre + random.normal(0, 1, 2)

    picture = Image.new("L", (_DRAWN_SIDE, _DRAWN_SIDE))
    scale = _DRAWN_SIDE / IMAGE_SIDE
    corners = [(x * scale, y * scale) for x, y in outline.tolist()]
    ImageDraw.Draw(picture).polygon(corners, fill=int(random.integers(90, 255)))
    small = picture.resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BOX)

    grey = np.asarray(small, dtype=float)
    stripes = 1 + random.uniform(0, 0.35) * np.sin(np.arange(IMAGE_SIDE) * random.uniform(0.5, 3))
    grey = grey * (stripes if random.random() < 0.5 else stripes[:, None])
    grey = grey + random.normal(0, random.uniform(5, 40), grey.shape)
    return np.asarray(grey.clip(0, 255), dtype=np.uint8)
