"""What each part of a recipe adds below 100K weights, one at a time, over seeds.

    FASHIONTUI_DATA_DIR=... python -m benchmarks.ablation resnet-20k --seeds 3 --epochs 4

A part is held against the recipe so far, with the same seeds (paired t-test, Holm's correction for
the parts of a table), on *validation* accuracy: training ends before the test set is looked at.
Parts that the recipe keeps are marked; the others are tried and left out again, so that a later
one is not judged beside what does not pay. What was trained is kept in
``benchmarks/results/ablation-NAME.json`` run by run: the same command trains the runs that are
missing, then writes that file and a Markdown table beside it.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from msgspec import to_builtins

from fashiontui import __version__
from fashiontui.data import Dataset, load
from fashiontui.domain.events import EpochEnded
from fashiontui.domain.recipe import Settings
from fashiontui.domain.shapes import family_named
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.stats import holm, mean_std, paired_t, t_interval
from fashiontui.engine import begin, find_device, train
from fashiontui.engine.devices import Placement

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Part:
    """One change to the recipe so far."""

    name: str
    settings: dict[str, Any]
    kept: bool = False
    """Whether the recipe ``best`` has it, and the parts after it are judged beside it."""


@dataclass(frozen=True)
class Subject:
    """A network, the recipe it begins with, and what is added to that."""

    arch: str
    shape: tuple[int, ...]
    start: dict[str, Any]
    parts: tuple[Part, ...]


PLAIN = {"optimizer": "adamw", "batch_norm": True, "weight_decay": 1e-2}
RESNET = (
    Part("one-cycle", {"schedule": "one-cycle", "lr": 2e-2}, kept=True),
    Part("Muon", {"optimizer": "muon", "lr": 0.1, "weight_decay": 0.0}, kept=True),
    Part("EMA 0.99", {"ema": 0.99}),
    Part("flip", {"augment": "flip"}),
    Part("erase 8x8", {"erase": 8}),
    Part("label smoothing 0.1", {"label_smoothing": 0.1}),
)
FCN = (
    Part("one-cycle", {"schedule": "one-cycle", "lr": 1e-2}, kept=True),
    Part("weight decay 0.1", {"weight_decay": 0.1}, kept=True),
    Part("EMA 0.998", {"ema": 0.998}),
    Part("Muon", {"optimizer": "muon", "lr": 0.05}),
    Part("dropout 0.1", {"dropout": 0.1}),
    Part("label smoothing 0.1", {"label_smoothing": 0.1}),
    Part("flip", {"augment": "flip"}),
    Part("shift", {"augment": "shift"}),
    Part("erase 8x8", {"erase": 8}),
    Part("mixup 0.5", {"mixup": 0.5}),
)
SUBJECTS = {
    "resnet-20k": Subject("resnet", (8, 16, 33), {**PLAIN, "batch_size": 128, "lr": 2e-3}, RESNET),
    "resnet-100k": Subject(
        "resnet", (16, 32, 79), {**PLAIN, "batch_size": 128, "lr": 2e-3}, RESNET
    ),
    "fcn-100k": Subject("fcn", (110, 70, 70), {**PLAIN, "batch_size": 256, "lr": 2e-3}, FCN),
}


def variants(subject: Subject) -> list[tuple[str, dict[str, Any], str | None]]:
    """Every row: its name, all its settings, and the row that it is held against."""
    told = "AdamW, constant learning rate"
    rows: list[tuple[str, dict[str, Any], str | None]] = [(told, subject.start, None)]
    so_far, before = subject.start, told
    for part in subject.parts:
        rows.append((f"+ {part.name}", {**so_far, **part.settings}, before))
        if part.kept:
            so_far, before = rows[-1][1], rows[-1][0]
    return rows


def validated(spec: RunSpec, data: Dataset, placement: Placement) -> EpochEnded:
    """Train up to the last epoch's validation and no further: the test set stays unseen."""
    for event in train(begin(spec, placement), data):
        if isinstance(event, EpochEnded) and event.epoch == spec.settings.epochs:
            return event
    raise AssertionError("a run ends with its last epoch")


def table(subject: Subject, document: dict[str, Any]) -> str:
    """The Markdown table of what was trained so far."""
    runs = document["runs"]
    scores = {
        name: {run["seed"]: run["val_accuracy"] for run in runs if run["variant"] == name}
        for name, _, _ in variants(subject)
    }
    tests = {}
    for name, _, against in variants(subject):
        seeds = sorted(scores[name].keys() & scores.get(against or "", {}).keys())
        if len(seeds) > 1:
            other = scores[against or ""]
            tests[name] = paired_t([scores[name][s] for s in seeds], [other[s] for s in seeds])
    adjusted = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    lines = [
        "| Recipe | Held against | Seeds | Validation % | 95% (t) | Difference | 95% (t) | "
        "p (Holm) | In `best` |",
        "|:---|:---|---:|---:|---:|---:|---:|---:|:---:|",
    ]
    kept = {f"+ {part.name}" for part in subject.parts if part.kept}
    for name, _, against in variants(subject):
        values = list(scores[name].values())
        if not values:
            continue
        mean, std = mean_std(values)
        spread = "" if std is None else f" ± {std:.2f}"
        interval = t_interval(values)
        within = f"{interval[0]:.2f}–{interval[1]:.2f}" if interval else "–"
        told = "– | – | –"
        if test := tests.get(name):
            low, high = test.interval
            told = f"{test.difference:+.2f} | {low:+.2f} to {high:+.2f} | {adjusted[name]:.3f}"
        lines.append(
            f"| {name} | {against or '–'} | {len(values)} | {mean:.2f}{spread} | {within} | {told} "
            f"| {'yes' if name in kept else ''} |"
        )
    seconds = fmean(run["train_seconds"] for run in runs)
    weights = family_named(subject.arch).weights(subject.shape)
    shape = family_named(subject.arch).describe(subject.shape)
    head = (
        f"{subject.arch} {shape}, {weights:,} weights, "
        f"{document['epochs']} epochs a run, {seconds:.0f} s a run on {document['machine']}, "
        f"torch {document['versions']['torch']}: `{document['command']}`"
    )
    return "\n".join([head, "", *lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    subject = SUBJECTS[options.subject]
    device = find_device(options.device)
    placement = Placement(device, "fp32", options.threads)
    place = RESULTS / f"ablation-{options.subject}.json"
    document = {
        "schema": 1,
        "command": f"python -m benchmarks.ablation {options.subject} "
        f"--seeds {options.seeds} --epochs {options.epochs}",
        "epochs": options.epochs,
        "machine": f"{placement.device_name}, {options.threads} thread(s)",
        "versions": {"fashiontui": __version__, "torch": torch.__version__},
        "runs": [],
    }
    if place.exists():
        before = json.loads(place.read_text(encoding="utf-8"))
        if before["epochs"] == options.epochs:
            document["runs"] = before["runs"]
    data = load("fashion-mnist", [Path(os.environ["FASHIONTUI_DATA_DIR"])], print).to(device)
    for seed in range(options.seeds):
        for name, settings, _ in variants(subject):
            chosen = Settings(epochs=options.epochs).replaced(**settings)
            asked = {"variant": name, "seed": seed, "settings": to_builtins(chosen)}
            if any(asked.items() <= run.items() for run in document["runs"]):
                continue
            spec = RunSpec(
                arch=subject.arch,
                shape=subject.shape,
                recipe="ablation",
                settings=chosen,
                seed=seed,
            )
            ended = validated(spec, data, placement)
            scored = {
                "val_accuracy": ended.val_accuracy,
                "val_loss": ended.val_loss,
                "train_loss": ended.train_loss,
                "train_seconds": ended.train_seconds,
            }
            document["runs"].append({**asked, **scored})
            place.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            place.with_suffix(".md").write_text(table(subject, document), encoding="utf-8")
            print(f"{name:32} seed {seed}  {ended.val_accuracy:.2f}", flush=True)
    print(table(subject, document))


if __name__ == "__main__":
    main()
