"""The seven models by the recipe ``fast``, to the end, beside the plain script, in one run.

    python benchmarks/speed.py --data-dir DIR

In turn, so that a drifting machine slows all alike: an epoch of ``plain.py``, one of ours by Adam
as there (in the recipe's batches, where ``plain.py`` has 512), and a whole run; once a seed. Ratios
count; seconds are this machine's. Run it on an idle machine.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median, stdev
from time import perf_counter

import plain
import torch

from fashiontui import paths
from fashiontui.data import Dataset, load
from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec
from fashiontui.engine import begin, choose_placement, find_device, train
from fashiontui.engine.devices import describe

PLAIN_EPOCHS = 25
"""As many as the report trained."""


def events_of(name: str, seed: int, data: Dataset, **changes: object) -> Iterator[Event]:
    """Train one of the report's models by the recipe ``fast``, where ``auto`` places it."""
    recipe = load_recipe("fast", paths.recipe_folder())
    [spec] = plan([named_network(name)], recipe, changes, [seed])
    device = find_device("auto")
    placement = choose_placement(spec, device, paths.measurements_file())
    return train(begin(spec, placement), data.to(device))


def epoch_seconds(name: str, epochs: int, data: Dataset) -> Iterator[float]:
    """Train by Adam; yield the seconds of each epoch with its validation."""
    adam = {"optimizer": "adam", "lr": 1e-3, "label_smoothing": 0.0}
    events = events_of(name, 0, data, epochs=epochs, **adam)
    next(events)  # RunStarted
    while True:
        began = perf_counter()
        while not isinstance(next(events), EpochEnded):
            pass
        yield perf_counter() - began
        next(events)  # FirstLayer


def fast_run(name: str, seed: int, data: Dataset) -> tuple[RunSpec, RunFinished]:
    """Train a model to the end."""
    started, *_, end = events_of(name, seed, data)
    assert isinstance(started, RunStarted)
    assert isinstance(end, RunFinished)
    return started.spec, end


def compare(data: Dataset, folder: Path, models: Sequence[str], seeds: int) -> None:
    """Print the table, model by model.

    Args:
        data: Fashion-MNIST.
        folder: Where torchvision finds it.
        models: Their names.
        seeds: How many, one round each.
    """
    print(
        "| Model | plain epoch | our epoch | ratio | epochs | fast run | "
        f"{PLAIN_EPOCHS} plain epochs | ratio | test % | ± seeds | least | report | at or above |"
    )
    print("|:---|" + "---:|" * 11 + ":---:|", flush=True)
    plain_total = fast_total = 0.0
    for name in models:
        reported = REPORT_MODELS[name]
        theirs, ours = plain.epoch_seconds(reported, folder), epoch_seconds(name, seeds, data)
        rounds = [(next(theirs), next(ours), *fast_run(name, seed, data)) for seed in range(seeds)]
        spec = rounds[0][2]
        accuracies = [end.test.accuracy for *_, end in rounds if end.test]
        slow, epoch = (median(seconds) for seconds in zip(*(r[:2] for r in rounds), strict=True))
        quick = median(end.train_seconds for *_, end in rounds)
        whole = PLAIN_EPOCHS * slow
        plain_total, fast_total = plain_total + whole, fast_total + quick
        spread = stdev(accuracies) if seeds > 1 else 0.0
        print(
            f"| {name} | {slow:.2f} s | {epoch:.2f} s | {slow / epoch:.1f}× "
            f"| {spec.settings.epochs} | {quick:.1f} s | {whole:,.0f} s | {whole / quick:.1f}× "
            f"| {fmean(accuracies):.2f} | {spread:.2f} | {min(accuracies):.2f} "
            f"| {reported.test_accuracy} "
            f"| {sum(a >= reported.test_accuracy for a in accuracies)} of {seeds} |",
            flush=True,
        )
    print(
        f"\nTogether: {plain_total:,.0f} s of the plain script's {PLAIN_EPOCHS} epochs, "
        f"{fast_total:.0f} s of the recipe fast: {plain_total / fast_total:.1f}×; "
        f"medians of {seeds}"
    )


def main() -> None:
    """Run what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default=os.environ.get("FASHIONTUI_DATA_DIR"))
    parser.add_argument("--model", action="append", choices=list(REPORT_MODELS))
    parser.add_argument("--seeds", type=int, default=3, help="rounds, each with a seed of its own")
    options = parser.parse_args()
    folders = [Path(options.data_dir)] if options.data_dir else []
    data = load("fashion-mnist", [*folders, paths.data_folder()], print)
    device = describe(find_device("auto"))
    print(f"{device}, {os.cpu_count()} cores, torch {torch.__version__}\n")
    with tempfile.TemporaryDirectory() as scratch:
        unpacked = Path(scratch) / "FashionMNIST" / "raw"
        unpacked.mkdir(parents=True)
        for folder in [paths.data_folder(), *folders]:
            for archive in folder.rglob("*-ubyte.gz"):
                (unpacked / archive.name).unlink(missing_ok=True)
                (unpacked / archive.name).symlink_to(archive.absolute())
        compare(data, Path(scratch), options.model or list(REPORT_MODELS), options.seeds)


if __name__ == "__main__":
    main()
