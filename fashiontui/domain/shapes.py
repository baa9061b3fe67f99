"""Every family by name, and what is said about shapes: one place to import from.

``weights`` is always every trainable parameter, biases included. How they are counted is in
``layers.py``, which shapes are legal in ``family.py``, and each family in a file of ``families/``.
"""

from fashiontui.domain.errors import UsageError
from fashiontui.domain.families import FAMILIES
from fashiontui.domain.family import CLASSES, IMAGE_SIDE, MOST_WEIGHTS, Family, Shape
from fashiontui.domain.layers import Layer

__all__ = [
    "CLASSES",
    "FAMILIES",
    "IMAGE_SIDE",
    "MOST_WEIGHTS",
    "Family",
    "Layer",
    "Shape",
    "family_named",
]


def family_named(name: str) -> Family:
    """The family of that name.

    Raises:
        UsageError: there is none.
    """
    try:
        return FAMILIES[name]
    except KeyError:
        known = ", ".join(FAMILIES)
        raise UsageError(f"Unknown architecture {name!r}; choose one of {known}.") from None
