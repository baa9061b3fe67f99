"""A run's state as one safetensors file, and back: nothing in it can run code.

Tensors are named ``model.NAME``, ``average.NAME``, ``optimizer.INDEX.NAME``, ``generator``,
``order`` and ``epoch_loss``; the rest is JSON in the file's metadata. The file of a finished run
has ``model`` tensors alone: those of the network that was scored.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import safetensors.torch
import torch
from msgspec import Meta, Struct
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from fashiontui.data import Dataset
from fashiontui.data.dataset import split
from fashiontui.domain.errors import CheckpointError
from fashiontui.domain.events import EpochEnded
from fashiontui.domain.spec import Kernels, RunSpec
from fashiontui.engine.devices import Placement
from fashiontui.engine.state import TrainingState, begin
from fashiontui.models import build

MAX_BYTES = 2**30
"""Larger files are refused unread: the largest network's state takes a tenth of this."""
_KEY = "fashiontui"


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint's metadata says."""

    format: Literal[1] = 1
    """Raised when the files change so that older versions cannot read them."""
    spec: RunSpec
    step: Annotated[int, Meta(ge=0)]
    """Optimiser steps done."""
    epoch_seconds: Annotated[float, Meta(ge=0)]
    seconds: Annotated[float, Meta(ge=0)]
    last_epoch: EpochEnded | None
    """The newest finished epoch: the store may not have it yet."""


def state_bytes(state: TrainingState) -> bytes:
    """All that the rest of the run depends on."""
    net = state.net
    tensors = _tensors("model", net.model)
    if net.average is not None:
        tensors |= _tensors("average", net.average)
    tensors |= {"generator": net.generator.get_state(), "epoch_loss": state.epoch_loss}
    for index, values in net.optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if value is not None:  # SGD without momentum keeps none
                tensors[f"optimizer.{index}.{name}"] = value
    if state.order is not None:
        tensors["order"] = state.order.to(torch.int32)
    return _packed(tensors, state)


def weights_bytes(state: TrainingState) -> bytes:
    """The network alone, as it was scored."""
    return _packed(_tensors("model", state.net.scored), state)


def restore(path: Path, spec: RunSpec, placement: Placement, data: Dataset) -> TrainingState:
    """The state that a run had when its file was written.

    Args:
        path: A file of ``state_bytes``.
        spec: Of the run.
        placement: As the run began; another one would give other bits.
        data: What the run learns from.

    Raises:
        CheckpointError: the file is damaged, or of another run, or of a newer version.
    """
    state = begin(spec, placement)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("it is too large")
        with safe_open(path, framework="pt") as file:
            header = msgspec.json.decode((file.metadata() or {}).get(_KEY, ""), type=Header)
            if header.spec != spec:
                raise ValueError("it belongs to another run")
            state.step, state.last_epoch = header.step, header.last_epoch
            state.seconds, state.epoch_seconds = header.seconds, header.epoch_seconds
            _restore_module("model", state.net.model, file)
            if state.net.average is not None:
                _restore_module("average", state.net.average, file)
            _restore_optimizer(state.net.optimizer, file)
            generator = state.net.generator
            generator.set_state(_tensor(file, "generator", generator.get_state()))
            state.epoch_loss.copy_(_tensor(file, "epoch_loss", state.epoch_loss))
            training, _ = split(data.labels, spec.split_seed)
            if "order" in file.keys():  # noqa: SIM118  # the file is no mapping
                order = _tensor(file, "order", training.to(torch.int32)).to(training)
                if not torch.equal(order.sort().values, training):
                    raise ValueError("its order is not of the training images")
                state.order = order
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise CheckpointError(
            f"Cannot continue from the checkpoint {path} ({reason}); train the run anew."
        ) from error
    per_epoch = len(training) // min(spec.settings.batch_size, len(training))
    into = state.step - state.epochs * per_epoch
    if not (0 <= into <= per_epoch if state.order is not None else into == 0):
        raise CheckpointError(
            f"Cannot continue from the checkpoint {path} (its step and epoch contradict each "
            "other); train the run anew."
        )
    return state


def network(path: Path, spec: RunSpec, kernels: Kernels = "torch") -> nn.Module:
    """The network of a finished run, on the CPU, set to predict.

    Args:
        path: A file of ``weights_bytes`` or ``state_bytes``.
        spec: Of the run.
        kernels: What shall compute its convolutions.

    Raises:
        CheckpointError: the file is damaged, or of another run.
    """
    model = build(spec, torch.Generator(), kernels)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("it is too large")
        with safe_open(path, framework="pt") as file:
            header = msgspec.json.decode((file.metadata() or {}).get(_KEY, ""), type=Header)
            if header.spec != spec:
                raise ValueError("it belongs to another run")
            averaged = any(name.startswith("average.") for name in file.keys())  # noqa: SIM118
            _restore_module("average.module" if averaged else "model", model, file)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise CheckpointError(
            f"Cannot use the weights in {path} ({reason}); train the run anew."
        ) from error
    return model.eval()


def _packed(tensors: dict[str, Tensor], state: TrainingState) -> bytes:
    header = Header(
        spec=state.spec,
        step=state.step,
        epoch_seconds=state.epoch_seconds,
        seconds=state.seconds,
        last_epoch=state.last_epoch,
    )
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    packed: bytes = safetensors.torch.save(on_cpu, {_KEY: msgspec.json.encode(header).decode()})
    return packed


def _tensors(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}


def _restore_module(prefix: str, module: nn.Module, file: Any) -> None:
    own = module.state_dict()
    module.load_state_dict(
        {name: _tensor(file, f"{prefix}.{name}", like) for name, like in own.items()}
    )


def _restore_optimizer(optimizer: torch.optim.Optimizer, file: Any) -> None:
    """Give each parameter its statistics, laid out in memory as the parameter is."""
    stored = [name for name in file.keys() if name.startswith("optimizer.")]  # noqa: SIM118
    of_parameter: dict[int, dict[str, Tensor]] = {}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, parameter in enumerate(parameters):
        for name in (n for n in stored if n.startswith(f"optimizer.{index}.")):
            statistic = name.split(".", 2)[2]
            like = torch.zeros((), dtype=torch.float32) if statistic == "step" else parameter
            value = _tensor(file, name, like)
            if statistic != "step":
                value = torch.empty_like(parameter).copy_(value).detach()
            of_parameter.setdefault(index, {})[statistic] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": of_parameter, "param_groups": groups})


def _tensor(file: Any, name: str, like: Tensor) -> Tensor:
    """One tensor on the CPU, once it is known to be of the shape and type expected.

    Raises:
        ValueError: it is not.
        SafetensorError: there is none of that name.
    """
    found = file.get_slice(name)
    if found.get_shape() != list(like.shape):
        raise ValueError(f"its {name} has the shape {found.get_shape()}")
    tensor: Tensor = file.get_tensor(name)
    if tensor.dtype != like.dtype:
        raise ValueError(f"its {name} has the type {tensor.dtype}")
    return tensor
