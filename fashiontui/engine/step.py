"""One optimiser step, and what it needs: used by training and by the measurement before it."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashiontui.data.augment import augmented
from fashiontui.domain.recipe import Settings
from fashiontui.engine.devices import Placement

PIXEL_MEAN = 72.94
"""Mean of all pixels of Fashion-MNIST's training images, on their scale of 0 to 255."""
PIXEL_STD = 90.02
"""Standard deviation of the same pixels."""
ONE_CYCLE_WARMUP = 0.25
"""Share of the steps in which one-cycle's learning rate rises."""
ADAM_SQUARE_DECAY = 0.999
"""Decay of Adam's second moment (Kingma and Ba 2015)."""


@dataclass(frozen=True)
class Trainable:
    """A network with its optimiser, placed on a device."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    settings: Settings
    placement: Placement
    generator: torch.Generator

    def step(self, images: Tensor, labels: Tensor, lr: float) -> Tensor:
        """Train on one batch and return its loss, still on the device.

        Args:
            images: uint8 (n, 1, 28, 28).
            labels: int64 (n,).
            lr: Learning rate of this step.
        """
        images = augmented(images, self.settings.augment, self.generator)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        logits = forward(self.model, images, self.placement)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.settings.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        self.optimizer.step()
        return loss.detach()


def trainable(
    model: nn.Module, settings: Settings, placement: Placement, generator: torch.Generator
) -> Trainable:
    """Place a network on its device and give it the optimiser its settings name.

    Channels last is the layout that convolutions are fastest in, on CPUs and GPUs alike; it changes
    nothing for fully connected networks.
    """
    model = model.to(placement.device).to(memory_format=torch.channels_last)
    return Trainable(model, _optimizer(model, settings, placement), settings, placement, generator)


def forward(model: nn.Module, images: Tensor, placement: Placement) -> Tensor:
    """Logits float32 (n, 10) of images uint8 (n, 1, 28, 28)."""
    dtype = torch.bfloat16 if placement.precision == "bf16" else torch.float32
    pixels = images.to(dtype).sub_(PIXEL_MEAN).mul_(1 / PIXEL_STD)
    with torch.autocast(
        placement.device.type, dtype=torch.bfloat16, enabled=placement.precision == "bf16"
    ):
        logits: Tensor = model(pixels)
    return logits.float()


def lr_at(step: int, steps: int, settings: Settings) -> float:
    """Learning rate of a step, counted from 0, out of ``steps``."""
    done = step / steps
    match settings.schedule:
        case "constant":
            return settings.lr
        case "cosine":
            return settings.lr * (1 + math.cos(math.pi * done)) / 2
        case "one-cycle":
            if done < ONE_CYCLE_WARMUP:
                return settings.lr * (step + 1) / (ONE_CYCLE_WARMUP * steps + 1)
            return settings.lr * (1 - done) / (1 - ONE_CYCLE_WARMUP)


def _optimizer(model: nn.Module, settings: Settings, placement: Placement) -> torch.optim.Optimizer:
    """The optimiser, fused where torch has it; only matrices and kernels decay."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p.ndim > 1]},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    fused = placement.device.type in ("cpu", "cuda")
    betas = (settings.momentum, ADAM_SQUARE_DECAY)
    decay = settings.weight_decay
    match settings.optimizer:
        case "sgd":
            return torch.optim.SGD(
                groups,
                lr=settings.lr,
                momentum=settings.momentum,
                nesterov=settings.nesterov,
                weight_decay=decay,
                fused=fused,
            )
        case "adam":
            return torch.optim.Adam(
                groups, lr=settings.lr, betas=betas, weight_decay=decay, fused=fused
            )
        case "adamw":
            return torch.optim.AdamW(
                groups, lr=settings.lr, betas=betas, weight_decay=decay, fused=fused
            )
