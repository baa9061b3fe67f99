"""fashiontui beside the plain script, epoch by epoch in one run, and the seven models to the end.

    python benchmarks/speed.py --data-dir DIR

Prints a table of epochs (medians, the two in turn, so that a drifting machine slows both alike)
and a table of the recipe ``fast`` over several seeds. Ratios count; seconds are this machine's.
Run it on an idle machine.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median, stdev
from time import perf_counter

import plain
import torch

from fashiontui import paths
from fashiontui.data import Dataset, load
from fashiontui.domain.events import EpochEnded, Event, RunFinished
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec
from fashiontui.engine import begin, choose_placement, find_device, train

COMPARED = ("fcn-100k", "cnn-10k", "cnn-100k")


def fast_spec(name: str, seed: int, **settings: object) -> RunSpec:
    """One of the report's models with the recipe ``fast``."""
    recipe = load_recipe("fast", paths.recipe_folder())
    return plan([named_network(name)], recipe, settings, [seed])[0]


def events_of(spec: RunSpec, data: Dataset) -> Iterator[Event]:
    """Train a spec on the device ``auto`` chooses."""
    device = find_device("auto")
    placement = choose_placement(spec, device, paths.measurements_file())
    return train(begin(spec, placement), data.to(device))


def epoch_seconds(spec: RunSpec, data: Dataset) -> Iterator[float]:
    """Train a spec; yield the seconds of each epoch with its validation."""
    events = events_of(spec, data)
    next(events)  # RunStarted
    while True:
        began = perf_counter()
        while not isinstance(next(events), EpochEnded):
            pass
        yield perf_counter() - began
        next(events)  # FirstLayer


def compare_epochs(data: Dataset, folder: Path, epochs: int) -> None:
    """Print the median epoch of each compared model, ours and the plain script's."""
    print(f"\nEpoch with validation, median of {epochs} (plain: DataLoader, Adam, batch 512)\n")
    print("| Model | plain | fashiontui | ratio |\n|:---|---:|---:|---:|")
    for name in COMPARED:
        theirs = plain.epoch_seconds(REPORT_MODELS[name], folder)
        ours = epoch_seconds(fast_spec(name, 0, epochs=epochs), data)
        pairs = [(next(theirs), next(ours)) for _ in range(epochs)]
        slow, quick = (median(times) for times in zip(*pairs, strict=True))
        print(f"| {name} | {slow:.2f} s | {quick:.2f} s | {slow / quick:.1f}× |", flush=True)


def train_all(data: Dataset, seeds: int) -> None:
    """Print time and test accuracy of the seven models with the recipe ``fast``."""
    print(f"\nThe seven models with the recipe fast, {seeds} seeds\n")
    print("| Model | epochs | time | test % | ± seeds | least | report | at or above |")
    print("|:---|---:|---:|---:|---:|---:|---:|:---:|")
    total = 0.0
    for name, model in REPORT_MODELS.items():
        ends = []
        for seed in range(seeds):
            spec = fast_spec(name, seed)
            ends += [e for e in events_of(spec, data) if isinstance(e, RunFinished)]
        accuracies = [end.test.accuracy for end in ends if end.test]
        seconds = fmean(end.train_seconds for end in ends)
        total += seconds
        spread = stdev(accuracies) if seeds > 1 else 0.0
        print(
            f"| {name} | {spec.settings.epochs} | {seconds:.1f} s | {fmean(accuracies):.2f} "
            f"| {spread:.2f} | {min(accuracies):.2f} | {model.test_accuracy} "
            f"| {sum(a >= model.test_accuracy for a in accuracies)} of {seeds} |",
            flush=True,
        )
    print(f"\nTraining and validation of all seven, one seed: {total:.0f} s")


def main() -> None:
    """Run what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default=os.environ.get("FASHIONTUI_DATA_DIR"))
    parser.add_argument("--epochs", type=int, default=3, help="compared epochs; 0 for none")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the seven; 0 for none")
    options = parser.parse_args()
    folders = [Path(options.data_dir)] if options.data_dir else []
    data = load("fashion-mnist", [*folders, paths.data_folder()], print)
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        if options.epochs:
            unpacked = Path(scratch) / "FashionMNIST" / "raw"
            unpacked.mkdir(parents=True)
            for folder in [paths.data_folder(), *folders]:
                for archive in folder.rglob("*-ubyte.gz"):
                    (unpacked / archive.name).unlink(missing_ok=True)
                    (unpacked / archive.name).symlink_to(archive.absolute())
            compare_epochs(data, Path(scratch), options.epochs)
    if options.seeds:
        train_all(data, options.seeds)


if __name__ == "__main__":
    main()
