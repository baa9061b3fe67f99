"""torch.optim without torch's compiler, which takes as long to load as torch itself.

torch.optim loads the compiler, ``torch._dynamo``, to keep it away from its methods when they are
first called. Nothing is compiled here, so the methods are called as they were written, below the
wrappers (seen in torch 2.14; where there are none, nothing changes).
"""

import inspect
from collections.abc import Callable

import torch
from torch.optim import Optimizer


def without_compiler() -> None:
    """Let the methods of every optimiser run without asking the compiler to leave them alone."""
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and not hasattr(plain, "__dynamo_disable"):
            setattr(plain, "__dynamo_disable", plain)  # what torch looks for


def step_of(optimizer: Optimizer) -> Callable[[], None]:
    """An optimiser's step, without the compiler and without hooks and profiling around it."""
    plain = inspect.unwrap(type(optimizer).step)

    def step() -> None:
        with torch.no_grad():
            plain(optimizer)

    return step
