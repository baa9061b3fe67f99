"""Muon: momentum whose update is made orthogonal (Jordan et al. 2024)."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the Newton-Schulz polynomial, from https://kellerjordan.github.io/posts/muon/."""
ITERATIONS = 5
"""Newton-Schulz steps, from there; singular values then lie between about 0.7 and 1.2."""
FEWEST_ROWS, WIDE = 32, 3
"""From how many rows, and how many times as many columns, the steps are taken on ``x xT`` in place
of ``x`` (on a CPU 24 rows gain nothing, 110 x 784 take half the time)."""

LEAST_LENGTH = 1e-7
"""What an update is divided by at least: one without any direction stays what it is."""


def _vector_length() -> float:
    """What the steps take 1 to: a vector, divided by its length, keeps its direction."""
    a, b, c = QUINTIC
    length = 1.0
    for _ in range(ITERATIONS):
        length = a * length + b * length**3 + c * length**5
    return length


VECTOR_LENGTH = _vector_length()


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
        """Update every parameter from its gradient; ``closure`` is torch's, and not called.

        Whole lists go into one call where torch can: each call from Python waits for its turn
        where another thread, such as that of a screen, runs Python too.
        """
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            copies = group.get("copies", 1)  # older checkpoints have none
            parameters = group["params"]
            gradients = [parameter.grad for parameter in parameters]
            averages = [self._average(parameter) for parameter in parameters]
            torch._foreach_lerp_(averages, gradients, 1 - momentum)
            smoothed = torch._foreach_lerp(gradients, averages, momentum)
            updates = _orthogonal_forms(smoothed, copies)
            torch._foreach_mul_(updates, [_length(parameter, copies) for parameter in parameters])
            if group["weight_decay"]:
                torch._foreach_mul_(parameters, 1 - lr * group["weight_decay"])
            if isinstance(lr, Tensor):  # a recorded step reads it from memory
                torch._foreach_mul_(updates, lr)
                torch._foreach_sub_(parameters, updates)
            else:
                torch._foreach_add_(parameters, updates, alpha=-lr)

    def _average(self, parameter: Tensor) -> Tensor:
        """The gradient's moving average."""
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        average: Tensor = state["momentum_buffer"]
        return average


def _orthogonal_forms(updates: tuple[Tensor, ...], copies: int) -> tuple[Tensor, ...]:
    """Updates with the matrix of each network made orthogonal; of one network's vectors at once."""
    if copies > 1 or any(update.ndim > 1 for update in updates):
        return tuple(_orthogonal_form(update, copies) for update in updates)
    lengths = torch._foreach_norm(updates)
    torch._foreach_clamp_min_(lengths, LEAST_LENGTH)
    units: tuple[Tensor, ...] = torch._foreach_div(updates, lengths)
    torch._foreach_mul_(units, VECTOR_LENGTH)
    return units


def _orthogonal_form(update: Tensor, copies: int) -> Tensor:
    """An update with the matrix of each network made orthogonal."""
    matrix = update.reshape(len(update), -1)
    if copies > 1:
        matrix = matrix.view(copies, len(matrix) // copies, -1)
    return orthogonal(matrix).reshape(update.shape)


def _length(parameter: Tensor, copies: int) -> float:
    """How long an update is, against an orthogonal one: tall matrices take longer steps."""
    rows, columns = len(parameter) // copies, parameter[0].numel()
    return float(max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the orthogonal factor of a matrix's polar decomposition, by Newton-Schulz steps.

    Args:
        matrix: Float (rows, columns), or several of them, (copies, rows, columns).
    """
    tall = matrix.shape[-2] > matrix.shape[-1]
    wide = matrix.mT if tall else matrix
    wide = wide / wide.norm(dim=(-2, -1), keepdim=True).clamp_min(LEAST_LENGTH)
    rows, columns = wide.shape[-2:]
    if rows == 1:
        wide = wide * VECTOR_LENGTH
    elif rows >= FEWEST_ROWS and columns >= WIDE * rows:
        wide = _factor(wide @ wide.mT) @ wide
    else:
        wide = _iterated(wide)
    return wide.mT if tall else wide


def _iterated(wide: Tensor) -> Tensor:
    """The steps one after another: each takes ``x`` to ``p(x xT) x``."""
    a, b, c = QUINTIC
    multiply_add = torch.addmm if wide.ndim == 2 else torch.baddbmm
    for _ in range(ITERATIONS):
        gram = wide @ wide.mT
        powers = multiply_add(gram, gram, gram, beta=b, alpha=c)
        wide = multiply_add(wide, powers, wide, beta=a)
    return wide


def _factor(gram: Tensor) -> Tensor:
    """What all steps together multiply ``x`` with, from ``x xT`` alone, whose powers commute.

    For a wide ``x`` that is less work, since products with ``x`` itself are the large ones.
    """
    a, b, c = QUINTIC
    multiply_add = torch.addmm if gram.ndim == 2 else torch.baddbmm
    product = None
    for i in range(ITERATIONS):
        step = multiply_add(gram, gram, gram, beta=b, alpha=c)
        step.diagonal(dim1=-2, dim2=-1).add_(a)
        product = step if product is None else step @ product
        if i < ITERATIONS - 1:
            gram = step @ gram @ step
    assert product is not None
    return product
