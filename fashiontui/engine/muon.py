"""Muon: momentum whose update is made orthogonal (Jordan et al. 2024)."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the Newton-Schulz polynomial, from https://kellerjordan.github.io/posts/muon/."""
ITERATIONS = 5
"""Newton-Schulz steps, from there; singular values then lie between about 0.7 and 1.2."""


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, with decoupled weight decay.

    ``torch.optim.Muon`` takes matrices alone and computes in bfloat16, which CPUs without it
    emulate. Here a kernel is the matrix of its output channels, and a bias a matrix of one column,
    whose orthogonal form is the same direction at a fixed length: one rule trains all of a network.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float,
        momentum: float,
        copies: int = 1,
    ) -> None:
        """Args:
        groups: Parameters, each group with its ``weight_decay``.
        lr: Learning rate; an update's largest singular value is about as large.
        momentum: Decay of the gradient's moving average.
        copies: Of how many networks the parameters are, one after another along the first
            dimension; the matrices of each are made orthogonal by themselves.
        """
        usual = {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "copies": copies}
        super().__init__(groups, usual)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; ``closure`` is torch's, and not called."""
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            copies = group.get("copies", 1)  # older checkpoints have none
            for parameter in group["params"]:
                gradient, state = parameter.grad, self.state[parameter]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(gradient)
                average = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
                update = gradient.lerp(average, momentum).reshape(len(gradient), -1)
                if copies > 1:
                    update = update.view(copies, len(update) // copies, -1)
                update = orthogonal(update)
                longer = max(1.0, update.shape[-2] / update.shape[-1]) ** 0.5
                update = update.reshape(parameter.shape)
                parameter.mul_(1 - lr * group["weight_decay"])
                if isinstance(lr, Tensor):  # a recorded step reads it from memory
                    parameter.sub_(update * (lr * longer))
                else:
                    parameter.add_(update, alpha=-lr * longer)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the orthogonal factor of a matrix's polar decomposition, by Newton-Schulz steps.

    Args:
        matrix: Float (rows, columns), or several of them, (copies, rows, columns).
    """
    a, b, c = QUINTIC
    multiply_add = torch.addmm if matrix.ndim == 2 else torch.baddbmm
    wide = matrix if matrix.shape[-2] <= matrix.shape[-1] else matrix.mT
    wide = wide / wide.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-7)
    for _ in range(ITERATIONS):
        gram = wide @ wide.mT
        powers = multiply_add(gram, gram, gram, beta=b, alpha=c)
        wide = multiply_add(wide, powers, wide, beta=a)
    return wide if matrix.shape[-2] <= matrix.shape[-1] else wide.mT
