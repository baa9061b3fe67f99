"""What a network looks like inside: its first layer as pictures, figures on every layer."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from fashiontui.domain.events import FirstLayer, LayerStatistics
from fashiontui.engine.devices import Placement
from fashiontui.engine.evaluate import images_at_once
from fashiontui.engine.step import forward

MAX_PICTURES = 64
"""Most kernels or hidden units handed on as pictures."""
MEASURED_IMAGES = 500
"""Validation images the outputs are measured on: a hundredth of an epoch's work, or less."""
_FOLLOWERS = ("_norm", "_activation")
"""Endings of the modules whose output is what their layer hands on; pooling goes before them."""


def inspection(
    run_id: str, epoch: int, model: nn.Module, images: Tensor, placement: Placement
) -> FirstLayer:
    """Look into a network after an epoch; it is left in training mode, unchanged.

    Args:
        run_id: Handed on.
        epoch: Handed on.
        model: From images (n, 1, 28, 28) to logits (n, 10), on the placement's device.
        images: uint8 (n, 1, 28, 28) on that device; the first ``MEASURED_IMAGES`` are measured.
        placement: Device and precision.
    """
    weights = next(parameter for parameter in model.parameters() if parameter.ndim > 1)
    side = math.isqrt(weights[0].numel())
    pictures = weights.detach()[:MAX_PICTURES].float().reshape(-1, side, side)
    scaled = (pictures * (127 / pictures.abs().max().clamp_min(1e-12))).round().to(torch.int8)
    return FirstLayer(
        run_id,
        epoch,
        len(pictures),
        side,
        scaled.cpu().numpy().tobytes(),
        layer_statistics(model, images[:MEASURED_IMAGES], placement),
    )


def layer_statistics(
    model: nn.Module, images: Tensor, placement: Placement
) -> tuple[LayerStatistics, ...]:
    """Weights and outputs of every layer with weights, in order, as the network scores images."""
    kept = outputs(model, images, placement)
    weighted = weighted_layers(model)
    figures = torch.stack([_figures(layer, kept[name]) for name, layer in weighted.items()])
    return tuple(
        LayerStatistics(name, len(layer.weight), mean, std, output_mean, output_std, int(dead))
        for (name, layer), (mean, std, output_mean, output_std, dead) in zip(
            weighted.items(), figures.tolist(), strict=True
        )
    )


@torch.inference_mode()
def outputs(model: nn.Module, images: Tensor, placement: Placement) -> dict[str, Tensor]:
    """What each layer with weights hands on for images, by its name: (n, units, ...).

    Args:
        model: In training mode, and left so.
        images: uint8 (n, 1, 28, 28).
        placement: Device and precision.
    """
    model.eval()
    pieces = []
    for some in torch.split(images, images_at_once(placement)):
        with _listening(model) as kept:
            forward(model, some, placement)
        pieces.append(kept)
    model.train()
    return {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}


def weighted_layers(model: nn.Module) -> dict[str, nn.Linear | nn.Conv2d]:
    """The layers with weights by their names, as ``domain/layers.py`` calls them, in order."""
    return {
        name.rpartition(".")[2]: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    }


@contextmanager
def _listening(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Keep what each layer hands on while the network scores: its last follower's output."""
    kept: dict[str, Tensor] = {}
    layers = weighted_layers(model)
    hooks = []
    for path, module in model.named_modules():
        name = path.rpartition(".")[2]
        for ending in _FOLLOWERS:
            name = name.removesuffix(ending)
        if name in layers and not isinstance(module, nn.MaxPool2d | nn.Sequential):

            def keep(_module: nn.Module, _given: object, made: Tensor, name: str = name) -> None:
                kept[name] = made

            hooks.append(module.register_forward_hook(keep))
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def _figures(layer: nn.Linear | nn.Conv2d, output: Tensor) -> Tensor:
    """Float (5,): mean and deviation of weights and of outputs, and how many units are dead."""
    weight, output = layer.weight.detach().float(), output.float()
    silent = (output == 0).transpose(0, 1).flatten(1).all(1).sum()
    values = (weight.mean(), weight.std(), output.mean(), output.std(), silent)
    return torch.stack([value.float() for value in values])
