"""What a stored network makes of a picture, and whether the picture is like any garment it knows.

A network gives every picture one of ten classes, noise too, and often with great certainty: its
own probabilities do not tell whether a picture shows a garment. The training images do. Each is
close to a sum of the few patterns in which they differ most, their principal components; pictures
of other things are not. What the components leave over of a picture (Jackson and Mudholkar 1979)
is held against what they leave over of validation images.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fashiontui.data import Dataset
from fashiontui.data.dataset import split
from fashiontui.data.photo import Seen
from fashiontui.domain.family import IMAGE_SIDE
from fashiontui.engine.devices import Placement
from fashiontui.engine.step import forward

COMPONENTS = 64
"""Of 784; chosen among 16, 32 and 64 with ``python -m benchmarks.pictures``."""
FIT_IMAGES = 10_000
"""Training images that the components are computed from."""
ALIKE = 0.99
"""Share of validation images that are taken for garments."""
UNSURE = 0.5
"""A class that gets less than this is no answer."""
_CPU = Placement(torch.device("cpu"), "fp32", 1)


@dataclass(frozen=True)
class Answer:
    """What a network makes of a picture."""

    seen: Seen
    probabilities: tuple[float, ...]
    """Of each class, in order."""
    doubt: str | None
    """Why the answer should not be believed, in one sentence."""

    @property
    def label(self) -> int:
        """The most probable class."""
        return max(range(len(self.probabilities)), key=self.probabilities.__getitem__)


class Likeness:
    """How far pictures are from the garments of a data set."""

    def __init__(self, data: Dataset, split_seed: int) -> None:
        """Args:
        data: On the CPU.
        split_seed: Which of its images are for training and which for validation.
        """
        training, validation = split(data.labels, split_seed)
        chosen = training[:: max(1, len(training) // FIT_IMAGES)]
        images = _flat(data.images[chosen])
        self._mean = images.mean(0)
        # eigh sorts by variance, the largest last.
        spread = (images - self._mean).T @ (images - self._mean)
        self._components = torch.linalg.eigh(spread).eigenvectors[:, -COMPONENTS:]
        self.limit = float(self.left_over(data.images[validation]).quantile(ALIKE))
        """The ``left_over`` of all but 1% of validation images is smaller."""

    def left_over(self, images: Tensor) -> Tensor:
        """Root mean square of what the components do not explain, float32 (n,), in shades of grey.

        Args:
            images: uint8 (n, 1, 28, 28).
        """
        centred = _flat(images) - self._mean
        rest = centred - (centred @ self._components) @ self._components.T
        root_sum: Tensor = torch.linalg.vector_norm(rest, dim=1)
        return root_sum / IMAGE_SIDE


def answer(seen: Seen, network: nn.Module, likeness: Likeness) -> Answer:
    """Ask a network about a picture.

    Args:
        seen: The picture as the data set would have it.
        network: On the CPU, set to predict.
        likeness: To the garments that the network learnt from.
    """
    image = torch.frombuffer(bytearray(seen.pixels), dtype=torch.uint8)
    image = image.view(1, 1, IMAGE_SIDE, IMAGE_SIDE)
    with torch.inference_mode():
        probabilities = forward(network, image, _CPU).softmax(1)[0].tolist()
        left_over = float(likeness.left_over(image)[0])
    doubt = None
    if seen.plain:
        doubt = "The picture is of one colour: there is nothing to see on it."
    elif left_over > likeness.limit:
        doubt = (
            "It is unlike the garments of the data set: what their patterns do not explain of it "
            f"is {left_over:.0f} shades of grey, of 99 in 100 of them at most {likeness.limit:.0f}."
        )
    elif max(probabilities) < UNSURE:
        doubt = "No class gets half of the probability."
    return Answer(seen, tuple(probabilities), doubt)


def _flat(images: Tensor) -> Tensor:
    return images.reshape(len(images), -1).float()
