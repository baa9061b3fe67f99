"""Which precision, threads and kernels train this network fastest here: measured, not guessed.

Small networks slow down with many threads, bfloat16 pays only on processors built for it, and
convolutions by rows only where they are deep enough for the processor. A few steps of the very
network decide; the answer is kept, because the same spec must give the same bits the next time, and
a second measurement might choose differently.
"""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from fashiontui.domain.errors import DeviceError, UsageError
from fashiontui.domain.files import read_text
from fashiontui.domain.shapes import IMAGE_SIDE
from fashiontui.domain.spec import Kernels, Precision, RunSpec
from fashiontui.engine.devices import Placement, describe, usable_cores
from fashiontui.engine.step import trainable
from fashiontui.models import build

ROUNDS = 5
"""Number of timed steps a candidate gets, after one to warm up."""
SECONDS = 0.5
"""Rounds go on until they took so long together: short steps need more of them."""
MOST_SECONDS = 1.5
"""After so long no further round begins: long steps need fewer of them."""
HOPELESS = 1.5
"""A candidate is given up once its shortest step takes so many times the shortest of all."""
CLEARLY = 0.9
"""bfloat16 replaces float32 only below this share of its time."""

MOST_BYTES = 10_000_000
"""A larger file of measurements is not ours: one shape takes some 200 bytes."""

Choice = dict[str, Any]
"""What was found fastest: ``precision``, ``threads`` and, since there are two, ``kernels``."""

_log = logging.getLogger(__name__)


def choose_placement(
    spec: RunSpec, device: torch.device, memory: Path, spare_cores: int = 0
) -> Placement:
    """Place a run on a device, measuring what the spec leaves open.

    Args:
        spec: Its ``precision``, ``threads`` and ``kernels`` are taken as they are unless open.
        device: Where it will train.
        memory: JSON file that keeps what was measured; made when missing.
        spare_cores: Cores to leave to others. Threads that wait for each other at every operation
            slow down manyfold when one of them must share its core.

    Raises:
        DeviceError: the device cannot compute in the precision, or by the kernels, asked for.
        UsageError: the kernels cannot compute the network.
    """
    spec.check_kernels()
    has_bf16 = _has_bf16(device)
    if spec.precision == "bf16" and not has_bf16 and device.type == "cuda":
        raise DeviceError(f"{describe(device)} has no bf16; use --precision fp32.")
    if spec.kernels == "rows" and device.type != "cpu":
        raise DeviceError(f"{describe(device)} has no kernels by rows; use --device cpu.")
    precisions: list[Precision] = ["fp32", "bf16"] if has_bf16 else ["fp32"]
    if spec.precision != "auto":
        precisions = [spec.precision]
    candidates = [
        Placement(device, precision, threads, kernels)
        for precision in precisions
        for kernels in _kernels(spec, device, precision)
        for threads in _thread_counts(spec, device, spare_cores)
    ]
    if len(candidates) == 1:
        return candidates[0]
    key = "|".join(
        [
            describe(device),
            f"torch {torch.__version__}",
            f"{spec.arch} {spec.family.describe(spec.shape)}",
            f"batch {spec.settings.batch_size}",
            f"norm {spec.settings.batch_norm}",
            *map(_named, candidates),
        ]
    )
    known = _recall(memory)
    if key in known and (before := Placement(device, **known[key])) in candidates:
        return before
    chosen = _fastest(spec, candidates)
    found = {
        "precision": chosen.precision,
        "threads": chosen.threads,
        "kernels": chosen.kernels,
    }
    _keep(memory, {**known, key: found})
    return chosen


def _has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself.

    Processors that do not take ten times as long as in float32, too long to be tried.
    """
    match device.type:
        case "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        case "cpu":
            asked = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
            return asked and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return True


def _named(candidate: Placement) -> str:
    """What a candidate is called in the file, of which older ones know torch's kernels alone."""
    by_rows = " rows" if candidate.kernels == "rows" else ""
    return f"{candidate.precision} {candidate.threads}{by_rows}"


def _kernels(spec: RunSpec, device: torch.device, precision: Precision) -> list[Kernels]:
    """Kernels worth trying: by rows where they can compute this network as it is to be placed."""
    by_rows = device.type == "cpu" and precision == "fp32" and spec.fits_rows
    usable: list[Kernels] = ["torch", "rows"] if by_rows else ["torch"]
    return [kernels for kernels in usable if spec.kernels in ("auto", kernels)]


def _thread_counts(spec: RunSpec, device: torch.device, spare_cores: int) -> list[int]:
    """CPU threads worth trying: powers of two up to the cores to be used, and all of these."""
    if spec.threads is not None:
        return [spec.threads]
    if device.type != "cpu":
        return [torch.get_num_threads()]
    used = max(1, usable_cores() - spare_cores)
    return sorted({min(2**power, used) for power in range(used.bit_length() + 1)})


def _fastest(spec: RunSpec, candidates: list[Placement]) -> Placement:
    """The placement with the shortest optimiser step on made-up images.

    Candidates take their steps in turn and each counts with its shortest, so that another
    program's burst of work does not decide between them. Those far behind are given up soon.
    """
    steps = {candidate: _timed_step(spec, candidate) for candidate in candidates}
    shortest = {candidate: step() for candidate, step in steps.items()}
    began, rounds, took = perf_counter(), 0, 0.0
    while took < SECONDS or (rounds < ROUNDS and took < MOST_SECONDS):
        for candidate, step in steps.items():
            shortest[candidate] = min(shortest[candidate], step())
        within = HOPELESS * min(shortest.values())
        steps = {one: step for one, step in steps.items() if shortest[one] <= within}
        rounds, took = rounds + 1, perf_counter() - began
    best = min(candidates, key=shortest.__getitem__)
    safe = min(
        (one for one in candidates if one.precision == candidates[0].precision),
        key=shortest.__getitem__,
    )
    return best if shortest[best] <= CLEARLY * shortest[safe] else safe


def _timed_step(spec: RunSpec, placement: Placement) -> Callable[[], float]:
    """A function that takes one optimiser step as placed, and returns its seconds."""
    device, count = placement.device, spec.settings.batch_size
    generator = torch.Generator(device).manual_seed(0)
    model = build(spec, generator, placement.kernels)
    net = trainable(model, spec.settings, placement, generator)
    images = torch.zeros((count, 1, IMAGE_SIDE, IMAGE_SIDE), dtype=torch.uint8, device=device)
    images.random_(generator=generator)
    labels = torch.zeros(count, dtype=torch.int64, device=device)

    def step() -> float:
        placement.apply()
        began = perf_counter()
        net.step(images, labels, spec.settings.lr)
        placement.synchronize()
        return perf_counter() - began

    return step


def _recall(memory: Path) -> dict[str, Choice]:
    """What was measured before; nothing when the file is missing or unreadable."""
    if not os.path.lexists(memory):
        return {}
    try:
        content = json.loads(read_text(memory, "the speed measurements", MOST_BYTES))
        return {key: value for key, value in content.items() if _sensible(value)}
    except (UsageError, ValueError, AttributeError, RecursionError) as error:
        _log.warning("Ignoring the speed measurements in %s: %s.", memory, error)
        return {}


def _sensible(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() - {"kernels"} == {"precision", "threads"}
        and value.get("kernels", "torch") in ("torch", "rows")
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
