"""A data set as plain tensors, and the split that sets validation images aside."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import NO_TEACHER
from fashiontui.domain.spec import DatasetName

VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Dataset:
    """All images of a data set on one device: uint8 (n, 1, 28, 28); labels: int64 (n,)."""

    name: DatasetName
    images: Tensor
    """The official training images, from which validation images are set aside."""
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    answers: Mapping[str, Tensor] = field(default_factory=dict)
    """What teachers answer to the training images, by the names that settings have for them: the
    probability of each class, float32 (n, 10)."""

    def to(self, device: torch.device) -> "Dataset":
        """The same data on another device."""
        return replace(
            self,
            images=self.images.to(device),
            labels=self.labels.to(device),
            test_images=self.test_images.to(device),
            test_labels=self.test_labels.to(device),
            answers={name: given.to(device) for name, given in self.answers.items()},
        )

    def lesson(self, teacher: str) -> Tensor:
        """What is to be said of each training image: labels, or the answers of a teacher.

        Raises:
            UsageError: its answers are not here.
        """
        if teacher == NO_TEACHER:
            return self.labels
        if teacher not in self.answers:
            raise UsageError(
                f"The answers of the teacher {teacher} are not at hand; train with "
                "fashiontui --batch, in the app or by a sweep."
            )
        return self.answers[teacher]


def split(labels: Tensor, split_seed: int) -> tuple[Tensor, Tensor]:
    """Indices of training and of validation images, the same share of every class in each.

    Args:
        labels: Class of every official training image, int64 (n,).
        split_seed: Decides the split, independently of any run's seed and of the device.

    Returns:
        Two ascending int64 tensors on the labels' device that together hold every index once.
    """
    generator = torch.Generator().manual_seed(split_seed)
    validation = []
    for label in range(len(CLASS_NAMES)):
        of_class = (labels.cpu() == label).nonzero().flatten()
        shuffled = of_class[torch.randperm(len(of_class), generator=generator)]
        validation.append(shuffled[: round(len(of_class) * VALIDATION_SHARE)])
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    held_out[torch.cat(validation)] = True
    return (
        (~held_out).nonzero().flatten().to(labels.device),
        held_out.nonzero().flatten().to(labels.device),
    )
