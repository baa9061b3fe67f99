"""Which settings reach which accuracy in how many epochs: the evidence behind the recipes.

Trains every combination of a grid below on several seeds and prints, per model, the mean and
standard deviation of *validation* accuracy. The test set is not looked at. On a GPU the networks
are far too small to fill it, so several processes share it.

    python benchmarks/search.py fast-fcn --data-dir DIR --out fast-fcn.csv
"""

import argparse
import csv
import itertools
import multiprocessing
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean, stdev

import torch

from fashiontui.data import load
from fashiontui.data.dataset import split
from fashiontui.domain.recipe import Settings
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.spec import RunSpec
from fashiontui.engine import find_device
from fashiontui.engine.devices import Placement
from fashiontui.engine.evaluate import evaluate
from fashiontui.engine.step import lr_at, trainable
from fashiontui.models import build

BASE = {
    "optimizer": "adamw",
    "schedule": "one-cycle",
    "batch_norm": True,
    "weight_decay": 1e-2,
}
MUON: dict[str, list] = {"optimizer": ["muon"], "weight_decay": [0.0]}
FCNS = ["fcn-50k", "fcn-100k", "fcn-200k"]
GRIDS: dict[str, list[tuple[list[str], dict[str, list]]]] = {
    "fast-fcn": [
        (
            FCNS,
            {
                "epochs": [2, 3, 4, 6],
                "batch_size": [256, 512],
                "lr": [5e-3, 1e-2, 2e-2],
                "dropout": [0.0, 0.1],
            },
        ),
    ],
    "fast-cnn": [
        (
            ["cnn-10k", "cnn-20k"],
            {"epochs": [1, 2, 3], "batch_size": [128, 256], "lr": [1e-2, 2e-2]},
        ),
        (
            ["cnn-50k", "cnn-100k"],
            {"epochs": [2, 3, 4], "batch_size": [128, 256], "lr": [1e-2]},
        ),
    ],
    "fast-muon": [
        (FCNS, {**MUON, "epochs": [2, 3], "batch_size": [256], "lr": [3e-2, 5e-2, 1e-1]}),
        (
            ["cnn-10k", "cnn-20k"],
            {**MUON, "epochs": [1, 2], "batch_size": [128, 256], "lr": [5e-2, 1e-1]},
        ),
        (
            ["cnn-50k", "cnn-100k"],
            {
                **MUON,
                "epochs": [2, 3],
                "batch_size": [128],
                "lr": [4e-2],
                "label_smoothing": [0.0, 0.1],
            },
        ),
    ],
    "best-fcn": [
        (
            ["fcn-100k"],
            {
                "epochs": [20, 40],
                "batch_size": [256],
                "lr": [1e-2],
                "dropout": [0.0, 0.2],
                "weight_decay": [1e-2, 1e-1],
            },
        ),
    ],
    "best-cnn": [
        (
            ["cnn-20k"],
            {
                "epochs": [10],
                "batch_size": [128],
                "lr": [1e-2],
                "dropout": [0.0, 0.25],
                "augment": ["none", "flip"],
            },
        ),
    ],
}


def jobs_of(grid: str, seeds: int) -> list[tuple[str, dict, int]]:
    """Every (model, settings, seed) of a grid."""
    return [
        (model, {**BASE, **dict(zip(axes, values, strict=True))}, seed)
        for models, axes in GRIDS[grid]
        for values in itertools.product(*axes.values())
        for model in models
        for seed in range(seeds)
    ]


def prepare(folder: str, threads: int) -> None:
    """Load the data once a process."""
    global DATA, DEVICE, THREADS
    THREADS = threads
    DEVICE = find_device("auto")
    DATA = load("fashion-mnist", [Path(folder)], print).to(DEVICE)


def validate(job: tuple[str, dict, int]) -> tuple[str, dict, int, float, float]:
    """Train one network; return its validation accuracy and the seconds it took."""
    name, settings, seed = job
    reported = REPORT_MODELS[name]
    spec = RunSpec(
        arch=reported.arch,
        shape=reported.shape,
        recipe="search",
        settings=Settings().replaced(**settings),
        seed=seed,
    )
    placement = Placement(DEVICE, "bf16", THREADS)
    if DEVICE.type == "cpu":
        placement = Placement(DEVICE, "fp32", THREADS, "rows" if spec.fits_rows else "torch")
    placement.apply()
    generator = torch.Generator(DEVICE).manual_seed(seed)
    model = build(spec, generator, placement.kernels)
    net = trainable(model, spec.settings, placement, generator)
    training, validation = split(DATA.labels, spec.split_seed)
    size = spec.settings.batch_size
    per_epoch = len(training) // size
    steps = spec.settings.epochs * per_epoch
    began = time.perf_counter()
    for step in range(steps):
        if step % per_epoch == 0:
            order = training[torch.randperm(len(training), generator=generator, device=DEVICE)]
        batch = order[step % per_epoch * size :][:size]
        net.step(DATA.images[batch], DATA.labels[batch], lr_at(step, steps, spec.settings))
    score = evaluate(net.model, DATA.images[validation], DATA.labels[validation], placement)
    return name, settings, seed, score.predictions.accuracy, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grid", choices=GRIDS)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", action="append", choices=list(REPORT_MODELS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="of each job")
    parser.add_argument("--out", default="search.csv")
    parser.add_argument("--limit", type=float, default=3600, help="seconds")
    options = parser.parse_args()

    wanted = options.model or REPORT_MODELS
    jobs = [job for job in jobs_of(options.grid, options.seeds) if job[0] in wanted]
    began = time.perf_counter()
    found: dict[tuple, list[float]] = defaultdict(list)
    context = multiprocessing.get_context("spawn")
    with (
        context.Pool(options.jobs, prepare, (options.data_dir, options.threads)) as pool,
        open(options.out, "w", newline="") as file,
    ):
        writer = csv.writer(file)
        for name, settings, seed, accuracy, seconds in pool.imap_unordered(validate, jobs):
            changed = tuple((k, v) for k, v in settings.items())
            found[name, changed].append(accuracy)
            file.flush()
            writer.writerow([name, dict(changed), seed, f"{accuracy:.3f}", f"{seconds:.2f}"])
            if time.perf_counter() - began > options.limit:
                print("limit reached")
                pool.terminate()
                break
    for model in REPORT_MODELS:
        print(model)
        rows = sorted(
            (
                (dict(key[1])["epochs"], -fmean(v), v, key[1])
                for key, v in found.items()
                if key[0] == model
            ),
            key=lambda row: row[:2],
        )
        by_epochs = itertools.groupby(rows, key=lambda row: row[0])
        for _, group in by_epochs:
            for _, mean, values, settings in itertools.islice(group, 4):
                spread = stdev(values) if len(values) > 1 else 0
                told = {k: v for k, v in settings if BASE.get(k) != v}
                print(f"  {-mean:.2f} ± {spread:.2f} ({len(values)})", told)
    print(
        f"{sum(map(len, found.values()))} of {len(jobs)} runs, {time.perf_counter() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
