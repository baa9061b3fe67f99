"""The embedded sample set as tensors; ``images/sample.py`` draws it."""

from functools import cache

import torch

from fashiontui.data.dataset import Dataset
from fashiontui.images.sample import drawn


@cache
def sample_set() -> Dataset:
    """The sample set on the CPU: 2,000 training and 1,000 test images, the same on every call."""
    made = drawn()
    return Dataset(
        "sample",
        torch.from_numpy(made.images).unsqueeze(1),
        torch.from_numpy(made.labels),
        torch.from_numpy(made.test_images).unsqueeze(1),
        torch.from_numpy(made.test_labels),
    )
