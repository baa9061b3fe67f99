"""Where an epoch's time goes, stage by stage, for each of the report's models: one Markdown table.

    FASHIONTUI_DATA_DIR=... python -m benchmarks.stages --threads 1

A row is an epoch of the recipe ``fast``, estimated from the median of ``--steps`` steps. With one
thread the processor's time is taken, so that other programs on the machine hardly count; with more,
the clock's. ``--kernels torch`` profiles torch's own convolutions instead of those by rows. The
last column holds the arithmetic of a step, counted as plain products and sums, against the rate of
this machine's own matrix products in the same run; algorithms that save products may exceed 100%.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from torch.nn import functional as F

from fashiontui import __version__
from fashiontui.data import Dataset, load
from fashiontui.data.augment import augmented
from fashiontui.data.dataset import split
from fashiontui.domain.events import EpochEnded, RunStarted
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec
from fashiontui.engine import Placement, begin, find_device
from fashiontui.engine.checkpoint import state_bytes
from fashiontui.engine.devices import describe
from fashiontui.engine.evaluate import evaluate
from fashiontui.engine.step import forward, lr_at
from fashiontui.store import Store

STAGES = ("gather", "augment", "forward", "backward", "optimiser", "validation", "bookkeeping")
MATRIX = 1024
"""Side of the square matrices whose product tells the machine's rate."""


class Watch:
    """Seconds of stages, one entry for every time they were gone through."""

    def __init__(self, placement: Placement) -> None:
        alone = placement.device.type == "cpu" and placement.threads == 1
        self._now: Callable[[], float] = time.thread_time if alone else time.perf_counter
        self._placement = placement
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = self._now()
        yield
        self._placement.synchronize()
        self.seconds[name].append(self._now() - began)

    def median(self, name: str) -> float:
        return median(self.seconds[name])


def epoch_stages(spec: RunSpec, placement: Placement, data: Dataset, steps: int) -> Watch:
    """Take steps of a run with a watch in hand; it has each stage's seconds per step or epoch."""
    placement.apply()
    watch, state = Watch(placement), begin(spec, placement)
    net, settings = state.net, spec.settings
    training, validation = split(data.labels, spec.split_seed)
    shuffled = torch.randperm(len(training), generator=net.generator, device=placement.device)
    order = training[shuffled]
    for step in range(steps + 1):
        if step == 1:
            watch.seconds.clear()  # the first is slower
        batch = order[step * settings.batch_size :][: settings.batch_size]
        with watch.stage("gather"):
            images, labels = data.images[batch], data.labels[batch]
        with watch.stage("augment"):
            images = augmented(images, settings.augment, net.generator, settings.erase)
        with watch.stage("forward"):
            logits = forward(net.model, images, placement)
            loss = F.cross_entropy(logits, labels, label_smoothing=settings.label_smoothing)
        with watch.stage("backward"):
            net.optimizer.zero_grad(set_to_none=True)
            loss.backward()
        with watch.stage("optimiser"):
            for group in net.optimizer.param_groups:
                group["lr"] = lr_at(step, 1000, settings)
            net.optimizer.step()
    for _ in range(3):
        with watch.stage("validation"):
            evaluate(net.model, data.images[validation], data.labels[validation], placement)
    started = RunStarted("run", spec, spec.weights, 1, "cpu", "", placement.precision, 1, "torch")
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Store(str(Path(folder) / "runs.sqlite3"))) as store,
    ):
        store.begin(started)
        for epoch in range(1, 4):
            with watch.stage("bookkeeping"):
                store.checkpoints.write("run", state_bytes(state))
                store.add_epoch(EpochEnded("run", epoch, 1.0, 1.0, 80.0, 0.1, 1.0, 1.0))
    return watch


def step_flop(spec: RunSpec) -> float:
    """Operations of a training step's matrix products and convolutions, counted plainly.

    Forward, then the gradient of the weights and, but for the first layer, of what enters.
    """
    total = 0
    for number, layer in enumerate(spec.family.layers(spec.shape)):
        positions = layer.output[1] * layer.output[2] if len(layer.output) == 3 else 1
        total += 2 * (layer.weights - layer.output[0]) * positions * (2 if number == 0 else 3)
    return float(total * spec.settings.batch_size)


def product_rate(placement: Placement) -> float:
    """Operations a second of large matrix products at the placement's precision."""
    dtype = torch.bfloat16 if placement.precision == "bf16" else torch.float32
    left, right = (torch.randn(MATRIX, MATRIX, device=placement.device).to(dtype) for _ in "ab")
    watch = Watch(placement)
    for _ in range(20):
        with watch.stage("product"):
            left @ right
    return 2 * MATRIX**3 / min(watch.seconds["product"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default=os.environ.get("FASHIONTUI_DATA_DIR"))
    parser.add_argument("--model", action="append", choices=list(REPORT_MODELS))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument(
        "--kernels", default="rows", choices=["torch", "rows"], help="of CNNs in fp32 on CPUs"
    )
    options = parser.parse_args()
    device = find_device(options.device)
    placement = Placement(device, options.precision, options.threads)
    can_rows = device.type == "cpu" and options.precision == "fp32"
    kernels = options.kernels if can_rows else "torch"
    placement.apply()
    data = load("fashion-mnist", [Path(options.data_dir)], print).to(device)
    recipe = load_recipe("fast", Path("/nonexistent"))
    rate = product_rate(placement)
    print(
        f"{describe(device)}, {options.threads} threads, {options.precision}, torch "
        f"{torch.__version__}, fashiontui {__version__}"
        f", kernels {kernels}; matrix products {rate / 1e9:.0f} GFLOP/s\n"
    )
    print(f"| ms an epoch | {' | '.join(STAGES)} | in all | of the products' rate |")
    print(f"|:---|{'---:|' * (len(STAGES) + 2)}")
    for name in options.model or REPORT_MODELS:
        [spec] = plan([named_network(name)], recipe, {}, [0])
        placed = replace(placement, kernels=kernels if spec.fits_rows else "torch")
        watch = epoch_stages(spec, placed, data, options.steps)
        steps = 54_000 // spec.settings.batch_size
        seconds = {
            stage: watch.median(stage) * (1 if stage in STAGES[-2:] else steps) for stage in STAGES
        }
        step_seconds = sum(watch.median(stage) for stage in STAGES[:-2])
        share = step_flop(spec) / step_seconds / rate
        told = " | ".join(f"{1000 * seconds[stage]:,.0f}" for stage in STAGES)
        print(
            f"| {name} | {told} | {1000 * sum(seconds.values()):,.0f} | {share:.0%} |", flush=True
        )


if __name__ == "__main__":
    main()
