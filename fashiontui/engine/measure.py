"""Which precision and how many threads train this network fastest here: measured, not guessed.

Small networks slow down with many threads, and bfloat16 pays only on processors built for it. A
few steps of the very network decide; the answer is kept, because the same spec must give the same
bits the next time, and a second measurement might choose differently.
"""

import json
import logging
import os
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from fashiontui.domain.errors import DeviceError
from fashiontui.domain.spec import Precision, RunSpec
from fashiontui.engine.devices import Placement, describe
from fashiontui.engine.step import trainable
from fashiontui.models import build

WARMUP_STEPS = 2
TIMED_STEPS = 4
TIMED_SECONDS = 0.1
"""Steps are timed until there are enough of both."""
CLEARLY = 0.9
"""A candidate replaces the safer choice only below this share of its time."""

Choice = dict[str, Any]
"""What was found fastest: ``precision`` and ``threads``."""

_log = logging.getLogger(__name__)


def choose_placement(
    spec: RunSpec, device: torch.device, memory: Path, spare_cores: int = 0
) -> Placement:
    """Place a run on a device, measuring what the spec leaves open.

    Args:
        spec: Its ``precision`` and ``threads`` are taken as they are unless open.
        device: Where it will train.
        memory: JSON file that keeps what was measured; made when missing.
        spare_cores: Cores to leave to others. Threads that wait for each other at every operation
            slow down manyfold when one of them must share its core.

    Raises:
        DeviceError: the device cannot compute in the precision asked for.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = max(1, (cores or 1) - spare_cores)
    can_bf16 = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    if spec.precision == "bf16" and not can_bf16:
        raise DeviceError(f"{describe(device)} has no bf16; use --precision fp32.")
    precisions: list[Precision] = [spec.precision] if spec.precision != "auto" else ["fp32"]
    threads = spec.threads or (1 if device.type == "cpu" else torch.get_num_threads())
    start = Placement(device, precisions[0], threads)
    tries_threads = spec.threads is None and device.type == "cpu" and cores > 1
    tries_bf16 = spec.precision == "auto" and can_bf16
    if not (tries_threads or tries_bf16):
        return start

    key = "|".join(
        [
            describe(device),
            f"{cores} cores",
            f"torch {torch.__version__}",
            spec.family.describe(spec.shape),
            f"batch {spec.settings.batch_size}",
            f"norm {spec.settings.batch_norm}",
            f"precision {spec.precision}",
            f"threads {spec.threads or 'auto'}",
        ]
    )
    known = _recall(memory)
    if key in known:
        return Placement(device, known[key]["precision"], known[key]["threads"])
    best, best_time = start, _step_time(spec, start)
    while tries_threads and best.threads < cores:
        more = Placement(device, best.precision, min(2 * best.threads, cores))
        more_time = _step_time(spec, more)
        if more_time > CLEARLY * best_time:
            break
        best, best_time = more, more_time
    if tries_bf16:
        half = Placement(device, "bf16", best.threads)
        if _step_time(spec, half) <= CLEARLY * best_time:
            best = half
    _keep(memory, {**known, key: {"precision": best.precision, "threads": best.threads}})
    return best


def _step_time(spec: RunSpec, placement: Placement) -> float:
    """Shortest time of one optimiser step on made-up images, in seconds."""
    placement.apply()
    device = placement.device
    generator = torch.Generator(device).manual_seed(0)
    net = trainable(build(spec, generator), spec.settings, placement, generator)
    count = spec.settings.batch_size
    images = torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8, device=device)
    labels = torch.randint(0, 10, (count,), device=device)
    times: list[float] = []
    while len(times) < WARMUP_STEPS + TIMED_STEPS or sum(times) < TIMED_SECONDS:
        began = perf_counter()
        net.step(images, labels, spec.settings.lr)
        placement.synchronize()
        times.append(perf_counter() - began)
    return min(times[WARMUP_STEPS:])


def _recall(memory: Path) -> dict[str, Choice]:
    """What was measured before; nothing when the file is missing or unreadable."""
    if not memory.exists():
        return {}
    try:
        content = json.loads(memory.read_text(encoding="utf-8"))
        return {key: value for key, value in content.items() if _sensible(value)}
    except (OSError, ValueError, AttributeError) as error:
        _log.warning("Ignoring the speed measurements in %s: %s.", memory, error)
        return {}


def _sensible(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.get("precision") in ("fp32", "bf16")
        and isinstance(value.get("threads"), int)
        and 1 <= value["threads"] <= 1024
    )


def _keep(memory: Path, known: dict[str, Choice]) -> None:
    """Replace the file in one move, so that a reader never sees half of it."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        beside = memory.with_suffix(f".{os.getpid()}.tmp")
        beside.write_text(json.dumps(known, indent=1), encoding="utf-8")
        beside.replace(memory)
    except OSError as error:
        _log.warning("Cannot keep the speed measurements in %s: %s.", memory, error.strerror)
