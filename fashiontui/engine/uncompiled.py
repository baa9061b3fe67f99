"""torch.optim without torch's compiler, which takes as long to load as torch itself.

torch.optim loads the compiler, ``torch._dynamo``, to keep it away from its methods when they are
first called. Nothing is compiled here, so the methods are called as they were written, below the
wrappers (seen in torch 2.14; where there are none, nothing changes).
"""

import inspect

import torch
from torch.optim import Optimizer


def without_compiler() -> None:
    """Let the methods of every optimiser run without asking the compiler to leave them alone."""
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and not hasattr(plain, "__dynamo_disable"):
            setattr(plain, "__dynamo_disable", plain)  # what torch looks for


def take_step(optimizer: Optimizer) -> None:
    """An optimiser's step, without the compiler and without hooks and profiling around it."""
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)
