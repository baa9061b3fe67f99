"""What a GPU makes of the report's models, in one command and one table.

    python -m benchmarks.gpu --data-dir DIR          # under eight minutes
    python -m benchmarks.gpu --smoke --device cpu    # in small, on the sample set

Needs the engine alone: no database and no screen, and no torchvision where the four archives of
Fashion-MNIST lie in ``DIR``. Parts whose time has come are left out, and said to be.
"""

import argparse
import logging
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import monotonic

import torch
from rich.console import Console
from rich.table import Table

from fashiontui.data import Dataset
from fashiontui.data.idx import read_images, read_labels
from fashiontui.data.sample import sample_set
from fashiontui.domain.events import RunFinished, Status
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec
from fashiontui.engine import Placement, begin, find_device, train
from fashiontui.engine.devices import describe
from fashiontui.engine.stacked import train_stack

LIMIT_SECONDS = 450
"""No part begins later than this."""
COMPARED = ("fcn-100k", "cnn-20k", "cnn-100k")
"""Models trained one seed after another too, to see what a stack saves."""


@dataclass(frozen=True)
class Outcome:
    """What came of training one model over seeds."""

    seconds: float
    """By the clock, from the first network built to the last test scored."""
    accuracies: list[float]
    """Test accuracy of each run that finished."""
    causes: list[str]
    """Why the others did not."""


def fashion_mnist(folder: Path) -> Dataset:
    """The data from its four archives, anywhere below a folder."""

    def content(name: str) -> bytes:
        found = next(folder.rglob(f"{name}-ubyte.gz"), None)
        if found is None:
            raise SystemExit(f"{name}-ubyte.gz is not below {folder}; give --data-dir")
        return found.read_bytes()

    return Dataset(
        "fashion-mnist",
        read_images(content("train-images-idx3")),
        read_labels(content("train-labels-idx1")),
        read_images(content("t10k-images-idx3")),
        read_labels(content("t10k-labels-idx1")),
    )


def specs_of(name: str, seeds: int, smoke: bool) -> list[RunSpec]:
    """The recipe ``fast``; one epoch in small."""
    overrides = {"epochs": 1} if smoke else {}
    recipe = load_recipe("fast", Path("/nonexistent"))
    return plan([named_network(name)], recipe, overrides, range(seeds))


def at_once(specs: Sequence[RunSpec], placement: Placement, data: Dataset) -> Outcome:
    """Train seeds as one stack."""
    began = monotonic()
    states = {f"run{spec.seed}": begin(spec, placement) for spec in specs}
    ends = [event for event in train_stack(states, data) if isinstance(event, RunFinished)]
    return _outcome(began, ends, placement)


def one_by_one(specs: Sequence[RunSpec], placement: Placement, data: Dataset) -> Outcome:
    """Train seeds one after another, step by step."""
    began = monotonic()
    ends = []
    for spec in specs:
        run = train(begin(spec, placement), data)
        ends += [event for event in run if isinstance(event, RunFinished)]
    return _outcome(began, ends, placement)


def _outcome(began: float, ends: Sequence[RunFinished], placement: Placement) -> Outcome:
    placement.synchronize()
    return Outcome(
        monotonic() - began,
        [end.test.accuracy for end in ends if end.test],
        [str(end.cause) for end in ends if end.status is not Status.FINISHED],
    )


def product_rate(placement: Placement) -> float:
    """Operations a second of large matrix products at the placement's precision."""
    side = 8192 if placement.device.type == "cuda" else 512
    dtype = torch.bfloat16 if placement.precision == "bf16" else torch.float32
    left, right = (torch.randn(side, side, device=placement.device).to(dtype) for _ in "ab")
    shortest = float("inf")
    for _ in range(10):
        placement.synchronize()
        began = monotonic()
        left @ right
        placement.synchronize()
        shortest = min(shortest, monotonic() - began)
    return 2 * side**3 / max(shortest, 1e-9)


def main() -> None:
    """Run every part and print the table."""
    logging.basicConfig(format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default=os.environ.get("FASHIONTUI_DATA_DIR"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="", choices=["", "fp32", "bf16"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--smoke", action="store_true", help="in small, on the sample set")
    options = parser.parse_args()
    began = monotonic()
    device = find_device(options.device)
    precision = options.precision or ("bf16" if device.type == "cuda" else "fp32")
    placement = Placement(device, precision, torch.get_num_threads())
    placement.apply()
    if not options.smoke and not options.data_dir:
        raise SystemExit("Give --data-dir, the folder of Fashion-MNIST's archives.")
    data = sample_set() if options.smoke else fashion_mnist(Path(options.data_dir))
    data = data.to(device)
    seeds = 2 if options.smoke else options.seeds
    models = ("fcn-50k", "cnn-10k") if options.smoke else tuple(REPORT_MODELS)

    table = Table(title="Recipe fast", title_justify="left")
    for column in ("what", "seeds", "time", "test %", "report", "at or above"):
        table.add_column(column, justify="left" if column == "what" else "right")

    def part(what: str, name: str, count: int, how: object) -> float:
        if monotonic() - began > LIMIT_SECONDS:
            table.add_row(what, str(count), "no time left", "", "", "")
            return 0.0
        outcome = how(specs_of(name, count, options.smoke), placement, data)  # type: ignore[operator]
        mean = fmean(outcome.accuracies) if outcome.accuracies else float("nan")
        target = REPORT_MODELS[name].test_accuracy
        failed = f"{len(outcome.causes)} failed: {outcome.causes[0]}" if outcome.causes else ""
        table.add_row(
            what,
            str(count),
            f"{outcome.seconds:.2f} s",
            f"{mean:.2f}",
            f"{target}",
            failed or ("yes" if mean >= target else "no"),
        )
        return outcome.seconds

    warm = at_once(specs_of(models[0], 1, smoke=True), placement, data)
    for count in (1, seeds):
        total = sum(part(f"{name}, at once", name, count, at_once) for name in models)
        table.add_row("all of them", str(count), f"{total:.2f} s", "", "", "", end_section=True)
    for name in models if options.smoke else COMPARED:
        part(f"{name}, one by one", name, min(2, seeds), one_by_one)
        part(f"{name}, at once", name, min(2, seeds), at_once)

    console = Console(width=100)
    console.print(
        f"{describe(device)}, {platform.machine()}, torch {torch.__version__}, {precision}; "
        f"matrix products {product_rate(placement) / 1e12:.2f} TFLOP/s; first run of the process "
        f"{warm.seconds:.2f} s; all of it {monotonic() - began:.0f} s"
    )
    console.print(table)
    if device.type == "cuda":
        most = torch.cuda.max_memory_allocated(device) / 2**20
        console.print(f"most memory allocated on the device: {most:,.0f} MiB")


if __name__ == "__main__":
    main()
