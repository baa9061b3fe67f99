"""Several networks of one shape as one network, which computes all of them at once.

Every tensor has the channels (or features) of all networks side by side, those of the first network
first: (n, copies * c, h, w). Convolutions become grouped ones, linear layers batched matrix
products; what works channel by channel stays as it is. Parameters are those of the networks one
after another along their first dimension, under the same names.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashiontui.models.parts import BatchNorm, Dropout, Shortcut


def stacked(models: Sequence[nn.Module]) -> nn.Module:
    """One network that computes what all of these do, with copies of their weights.

    Args:
        models: Made by ``build`` from specs that differ in their seeds alone.
    """
    model = _widened(models).to(next(models[0].parameters()).device)
    states = [model.state_dict() for model in models]
    model.load_state_dict(
        {name: torch.cat([state[name] for state in states]) for name in states[0]}
    )
    return model


def _widened(models: Sequence[nn.Module]) -> nn.Module:
    first, copies = models[0], len(models)
    match first:
        case nn.Sequential():
            children = [model.named_children() for model in models]
            return nn.Sequential(
                OrderedDict(
                    (same[0][0], _widened([module for _, module in same]))
                    for same in zip(*children, strict=True)
                )
            )
        case nn.Conv2d():
            return nn.Conv2d(
                copies * first.in_channels,
                copies * first.out_channels,
                cast("tuple[int, int]", first.kernel_size),
                cast("tuple[int, int]", first.stride),
                cast("tuple[int, int]", first.padding),
                groups=copies * first.groups,
                bias=first.bias is not None,
            )
        case nn.Linear():
            return _Linear(copies, first.in_features, first.out_features, first.bias is not None)
        case BatchNorm():
            return BatchNorm(copies * len(first.bias))
        case Shortcut():
            return _Shortcut(copies, _widened([cast("Shortcut", m).body for m in models]), first)
        case Dropout():
            return _Dropout(first.share, [cast("Dropout", m).generator for m in models])
        case _:
            return first


class _Linear(nn.Module):
    """Linear layers beside each other, from (n, copies * in) to (n, copies * out)."""

    def __init__(self, copies: int, before: int, after: int, bias: bool) -> None:
        super().__init__()
        self.copies = copies
        self.weight = nn.Parameter(torch.empty(copies * after, before))
        self.bias = nn.Parameter(torch.empty(copies * after)) if bias else None

    def forward(self, features: Tensor) -> Tensor:
        split = features.view(len(features), self.copies, -1).transpose(0, 1)
        weight = self.weight.view(self.copies, -1, features.shape[1] // self.copies).mT
        if self.bias is None:
            result = torch.bmm(split, weight)
        else:
            result = torch.baddbmm(self.bias.view(self.copies, 1, -1), split, weight)
        return result.transpose(0, 1).flatten(1)


class _Shortcut(nn.Module):
    """``Shortcut``, whose missing or surplus channels are at the end of each network's own."""

    def __init__(self, copies: int, body: nn.Module, one: Shortcut) -> None:
        super().__init__()
        self.copies = copies
        self.body = body
        self.added = one.added
        self.stride = one.stride

    def forward(self, images: Tensor) -> Tensor:
        kept = images
        if self.stride > 1:
            kept = F.avg_pool2d(kept, self.stride, ceil_mode=True)
        if self.added:
            count, _, height, width = kept.shape
            split = kept.reshape(count, self.copies, -1, height, width)
            kept = F.pad(split, (0, 0, 0, 0, 0, self.added)).flatten(1, 2)
        added: Tensor = self.body(images) + kept
        return added


class _Dropout(nn.Module):
    """``Dropout`` of every network by its own generator: the masks it would have alone."""

    def __init__(self, share: float, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.share = share
        self.generators = generators

    def forward(self, features: Tensor) -> Tensor:
        if not self.training:
            return features
        split = features.view(len(features), len(self.generators), -1)
        kept = torch.stack(
            [
                torch.empty_like(split[:, i], memory_format=torch.contiguous_format).bernoulli_(
                    1 - self.share, generator=generator
                )
                for i, generator in enumerate(self.generators)
            ],
            dim=1,
        )
        return features * kept.div_(1 - self.share).flatten(1)
