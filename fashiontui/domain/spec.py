"""What a run is to do, fully written down: enough to repeat it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, structs, to_builtins

from fashiontui.domain.errors import UsageError
from fashiontui.domain.layers import Conv, Flatten, Output
from fashiontui.domain.recipe import Settings, recipe_title
from fashiontui.domain.shapes import FAMILIES, Family, Shape, family_named
from fashiontui.domain.text import printable

DatasetName = Literal["fashion-mnist", "sample"]
DataChoice = Literal["auto", "fashion-mnist", "sample"]
"""What may be asked for; auto is Fashion-MNIST, or the sample set where that is not to be had."""
Precision = Literal["fp32", "bf16"]
Kernels = Literal["torch", "rows"]
"""How convolutions are computed: by torch's own kernels, or by those of ``models/rows.py``."""
MOST_BY_ROWS = 5
"""Largest convolution kernel that can be computed by rows."""
VALIDATION_IMAGES: dict[DatasetName, int] = {"fashion-mnist": 6_000, "sample": 200}
"""How many training images are set aside for validation."""
TEST_IMAGES: dict[DatasetName, int] = {"fashion-mnist": 10_000, "sample": 1_000}
"""How many images the test set has."""

Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Threads = Annotated[int, Meta(ge=1, le=1024)]
_USUAL = to_builtins(Settings())


class RunSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run: which network, trained how, on what, where, from which seed.

    Values are checked where they are read, and what may be shown is made safe to show at once.
    """

    model: str | None = None
    """Name of one of the report's models; None for any other shape."""
    arch: str
    """Name of the family."""
    shape: Shape
    """Hidden widths or channels, from input to output."""
    budget: int | None = None
    """Weight budget the shape was made for, if there was one."""
    recipe: str
    """Name of the recipe the settings came from."""
    settings: Settings
    seed: Seed = 0
    """Decides the first weights, the order of the batches, dropout and augmentation."""
    split_seed: Seed = 0
    """Decides which training images are set aside for validation; independent of ``seed``."""
    dataset: DatasetName = "fashion-mnist"
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: Threads | None = None
    """CPU threads; None lets a short measurement choose."""
    kernels: Literal["auto", "torch", "rows"] = "auto"
    """auto lets the measurement choose, where there is a choice."""

    def __post_init__(self) -> None:
        """Refuse an unknown family; write out what a terminal would obey."""
        if self.arch not in FAMILIES:
            raise ValueError(f"arch should be one of {', '.join(FAMILIES)}")
        for name in ("model", "recipe", "device"):
            text = getattr(self, name)
            if text is not None and not text.isprintable():
                structs.force_setattr(self, name, printable(text))

    @property
    def family(self) -> Family:
        """The family of the architecture."""
        return family_named(self.arch)

    @property
    def weights(self) -> int:
        """Number of trainable parameters."""
        return self.family.weights(self.shape)

    @property
    def report_weights(self) -> int | None:
        """Number of weights by the report's own rule; None for families it does not know."""
        return self.family.report_weights(self.shape)

    @property
    def fits_rows(self) -> bool:
        """Whether its convolutions can be computed by rows, in float32 on CPUs; False without any.

        They can where each follows the other, reads all channels and keeps the image's size.
        """
        parts = self.family.parts(self.shape)
        convs = [part for part in parts if isinstance(part, Conv)]
        return (
            bool(convs)
            and all(isinstance(part, Conv | Flatten | Output) for part in parts)
            and all((conv.stride, conv.groups) == (1, 1) for conv in convs)
            and all(conv.kernel <= MOST_BY_ROWS for conv in convs)
        )

    def check_kernels(self) -> None:
        """See whether the kernels that are asked for can compute this network.

        Raises:
            UsageError: they cannot.
        """
        if self.kernels == "rows" and not self.fits_rows:
            raise UsageError(
                f"{self.title} cannot be computed by rows, which is for CNNs; use --kernels auto."
            )
        if self.kernels == "rows" and self.precision == "bf16":
            raise UsageError("Kernels by rows compute in fp32; leave out --precision bf16.")

    @property
    def title(self) -> str:
        """What to call the network on screen: the report's name, or family and shape."""
        return self.model or f"{self.arch} {self.family.describe(self.shape)}"

    @property
    def recipe_title(self) -> str:
        """What to call how it is trained: the recipe, and whether by teachers."""
        return recipe_title(self.recipe, self.settings.teacher)


def how_computed(precision: Precision, threads: int, kernels: Kernels | None) -> str:
    """How a run computes, in words: ``fp32, 2 threads, by rows``; torch's kernels go unsaid."""
    words = [precision, f"{threads} thread{'s' if threads > 1 else ''}"]
    return ", ".join([*words, "by rows"] if kernels == "rows" else words)


def configuration(spec: Mapping[str, Any], precision: str) -> str:
    """What runs have in common that differ by their seed alone: equal texts mean equal ones.

    That is network, recipe, settings, images, split and precision; not the budget the network was
    made for, nor which machine trains it. Settings at their defaults are left out, so that specs of
    older versions, which lack newer settings, belong to the same.

    Args:
        spec: A spec as it is stored; its values are not checked.
        precision: What the run was really calculated in.
    """
    usual = _USUAL.items()
    settings = sorted([item for item in spec["settings"].items() if item not in usual])
    names = ("model", "arch", "recipe", "dataset", "split_seed")
    return repr((*(spec[name] for name in names), [*spec["shape"]], precision, settings))
