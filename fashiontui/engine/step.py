"""One optimiser step, and what it needs: used by training and by the measurement before it."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fashiontui.data.augment import augmented, mixed
from fashiontui.domain.recipe import Settings
from fashiontui.engine.devices import Placement
from fashiontui.engine.muon import Muon
from fashiontui.engine.uncompiled import take_step, without_compiler

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
    average: AveragedModel | None = None
    """Moving average of the network and its running statistics, where the settings want one."""

    @property
    def scored(self) -> nn.Module:
        """The network that is scored and kept: the average if there is one."""
        return self.model if self.average is None else self.average.module

    def step(self, images: Tensor, labels: Tensor, lr: float) -> Tensor:
        """Train on one batch and return its loss, still on the device.

        Args:
            images: uint8 (n, 1, 28, 28).
            labels: int64 (n,), or float32 (n, 10), the probabilities to be learnt.
            lr: Learning rate of this step.
        """
        settings = self.settings
        images = augmented(images, settings.augment, self.generator, settings.erase)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        loss = self._loss(images, labels)
        self.model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        take_step(self.optimizer)
        if self.average is not None:
            self.average.update_parameters(self.model)
        return loss.detach()

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of a batch; a blended image has that of both its labels, by their shares."""
        smoothing = self.settings.label_smoothing
        if not self.settings.mixup:
            logits = forward(self.model, images, self.placement)
            return F.cross_entropy(logits, labels, label_smoothing=smoothing)
        images, others, share = mixed(images, labels, self.settings.mixup, self.generator)
        logits = forward(self.model, images, self.placement)
        own = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
        other = F.cross_entropy(logits, others, label_smoothing=smoothing, reduction="none")
        return torch.lerp(own, other, share).mean()


def trainable(
    model: nn.Module,
    settings: Settings,
    placement: Placement,
    generator: torch.Generator,
    copies: int = 1,
) -> Trainable:
    """Place a network on its device and give it the optimiser its settings name.

    Channels last is the layout that convolutions are fastest in, on CPUs and GPUs alike; it changes
    nothing for fully connected networks.

    Args:
        model: The network.
        settings: How it is trained.
        placement: Where.
        generator: What augmentation draws from, on the device.
        copies: How many networks it computes at once (``models/stacked.py``).
    """
    model = model.to(placement.device).to(memory_format=torch.channels_last)
    average = None
    if settings.ema:
        follow = get_ema_multi_avg_fn(settings.ema)  # type: ignore[no-untyped-call]
        average = AveragedModel(model, multi_avg_fn=follow, use_buffers=True)
    optimizer = _optimizer(model, settings, placement, copies)
    return Trainable(model, optimizer, settings, placement, generator, average)


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


def _optimizer(
    model: nn.Module, settings: Settings, placement: Placement, copies: int
) -> torch.optim.Optimizer:
    """The optimiser, fused where torch has it; only matrices and kernels decay."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p.ndim > 1]},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    without_compiler()
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
        case "muon":
            groups[0]["weight_decay"] = decay
            return Muon(groups, settings.lr, settings.momentum, copies)
        case "adamw":
            return torch.optim.AdamW(
                groups, lr=settings.lr, betas=betas, weight_decay=decay, fused=fused
            )
