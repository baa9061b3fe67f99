"""Fully connected networks as the report draws them: 784 pixels, hidden layers, 10 logits."""

from fashiontui.domain.family import CLASSES, IMAGE_SIDE, Family, ReportRule, Shape
from fashiontui.domain.layers import Flatten, Linear, Output, Part


def _parts(hidden: Shape) -> tuple[Part, ...]:
    """Formula (1) of the report counts them, a layer at a time: (n_i + 1) * n_(i+1)."""
    layers = (Linear(f"hidden{i}", width) for i, width in enumerate(hidden, start=1))
    return (Flatten(), *layers, Output(CLASSES))


FAMILY = Family(
    name="fcn",
    title="FCN",
    about="fully connected",
    parts=_parts,
    inputs=IMAGE_SIDE**2,
    repeats=(1, 1),
    taper=(0.5, 1.0),
    max_depth=8,
    shape_word="hidden widths",
    marker="●",
    report=ReportRule(table=1, counts_output=False),
)
