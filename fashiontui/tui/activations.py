"""What a stored network makes of one image, layer by layer. Called by threads: it loads torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fashiontui.domain.record import RunRecord


@dataclass(frozen=True)
class Activations:
    """Of one image."""

    layers: dict[str, np.ndarray]
    """Float, (units,) or (units, height, width), what each layer with weights hands on."""
    probabilities: list[float]


class Looker:
    """A run's network, read once from its weights."""

    def __init__(self, record: RunRecord, weights: Path) -> None:
        """Read the network. Torch is loaded here, which takes seconds the first time.

        Raises:
            CheckpointError: the file cannot be used.
        """
        from fashiontui.engine.checkpoint import network

        self._model = network(weights, record.spec)

    def look(self, image: np.ndarray) -> Activations:
        """Score one image.

        Args:
            image: uint8 (28, 28).
        """
        import torch

        from fashiontui.engine import Placement
        from fashiontui.engine.inspect import outputs

        batch = torch.from_numpy(image.copy())[None, None]
        made = outputs(self._model, batch, Placement(torch.device("cpu"), "fp32", 1))
        shares = made["output"][0].softmax(0).tolist()
        return Activations({name: one[0].float().numpy() for name, one in made.items()}, shares)
