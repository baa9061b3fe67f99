"""The ablation: what it trains and what its table says of it."""

from dataclasses import replace

import pytest
import torch
from making import made_spec
from msgspec import convert

from benchmarks.ablation import SUBJECTS, Part, Subject, table, validated, variants
from fashiontui.data.sample import sample_set
from fashiontui.domain.recipe import Settings
from fashiontui.domain.shapes import family_named
from fashiontui.engine import Placement

START = {"lr": 0.1}
MADE = Subject(
    "fcn", (8,), START, (Part("a", {"lr": 0.2}, kept=True), Part("b", {"ema": 0.5}), Part("c", {}))
)


def test_a_part_joins_those_kept_and_none_that_were_left_out():
    assert variants(MADE) == [
        ("AdamW, constant learning rate", {"lr": 0.1}, None),
        ("+ a", {"lr": 0.2}, "AdamW, constant learning rate"),
        ("+ b", {"lr": 0.2, "ema": 0.5}, "+ a"),
        ("+ c", {"lr": 0.2}, "+ a"),
    ]


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
def test_every_variant_can_be_trained(subject):
    assert family_named(subject.arch).check(subject.shape)
    assert all(convert(settings, Settings) for _, settings, _ in variants(subject))


def test_the_test_images_are_never_touched():
    data = replace(sample_set(), test_images=None, test_labels=None)
    ended = validated(made_spec(epochs=2), data, Placement(torch.device("cpu"), "fp32", 1))
    assert ended.epoch == 2


def test_the_table_compares_the_same_seeds_alone():
    runs = [
        {"variant": variant, "seed": seed, "val_accuracy": value, "train_seconds": 10.0}
        for variant, values in {
            "AdamW, constant learning rate": [80.0, 81.0, 82.0],
            "+ a": [81.0, 82.1, 82.9],
            "+ b": [85.0],
        }.items()
        for seed, value in enumerate(values)
    ]
    told = {"command": "c", "epochs": 2, "machine": "m", "versions": {"torch": "t"}, "runs": runs}
    rows = {row.split(" | ")[0].strip("| "): row for row in table(MADE, told).splitlines()}
    assert "| 3 | 82.00 ± 0.95 |" in rows["+ a"]
    assert "| +1.00 | +0.75 to +1.25 | 0.003 | yes |" in rows["+ a"]
    assert "| 1 | 85.00 | – | – | – | – |" in rows["+ b"]
    assert "+ c" not in rows
