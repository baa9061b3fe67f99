"""What other programs read: valid JSON and CSV with all promised keys, whatever became of a run."""

import csv
import io
import json
from dataclasses import replace

import pytest
from making import (
    made_epoch,
    made_finished,
    made_progress,
    made_record,
    made_spec,
    made_started,
    right_on,
)
from msgspec import convert

from fashiontui.domain.events import Status
from fashiontui.domain.recipe import Settings
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import FAMILIES
from fashiontui.export.documents import event_object, models_document, runs_csv, runs_document

PROMISED = [
    "id",
    "status",
    "model",
    "arch",
    "shape",
    "budget",
    "weights",
    "report_weights",
    "recipe",
    "epochs",
    "seed",
    "device",
    "precision",
    "train_loss",
    "val_loss",
    "val_accuracy",
    "test_accuracy",
    "test_accuracy_batch_std",
    "test_accuracy_ci95",
    "train_seconds",
    "total_seconds",
    "images_per_second",
    "history",
]


def strictly(document):
    """What another program reads: NaN and Infinity are no JSON."""
    return json.loads(json.dumps(document), parse_constant=pytest.fail)


@pytest.mark.parametrize("status", Status, ids=str)
def test_every_run_has_every_promised_key(status):
    document = strictly(runs_document("fashion-mnist", [made_record(status=status)]))
    [run] = document["runs"]
    assert (document["schema"], document["dataset"]) == (1, "fashion-mnist")
    assert set(PROMISED) <= set(run)
    assert run["status"] == status.value


def test_a_run_says_what_its_record_says():
    record = made_record("fcn-100k", right_on(0, 880), seed=3, train_seconds=12.5)
    [run] = strictly(runs_document("fashion-mnist", [record]))["runs"]
    assert (run["model"], run["arch"], run["shape"]) == ("fcn-100k", "fcn", [112, 106])
    assert (run["budget"], run["weights"], run["report_weights"]) == (100_000, 100_968, 99_898)
    assert (run["recipe"], run["seed"], run["epochs"]) == ("made", 3, 1)
    assert (run["device"], run["precision"]) == ("cpu", "fp32")
    assert (run["train_loss"], run["val_loss"], run["val_accuracy"]) == (0.75, 0.5, 90.0)
    assert run["test_accuracy"] == 88.0
    assert run["test_accuracy_batch_std"] == record.test_batch_std
    assert run["test_accuracy_ci95"] == list(record.test_interval)
    assert (run["train_seconds"], run["total_seconds"]) == (12.5, 13.5)
    assert run["images_per_second"] == pytest.approx(1000)
    assert run["history"][0]["epoch"] == 1
    assert run["history"][0]["val_accuracy"] == 90.0


def test_a_run_without_epochs_has_nulls():
    record = replace(made_record(status=Status.STOPPED), epochs=())
    [run] = strictly(runs_document("sample", [record]))["runs"]
    for key in ("train_loss", "val_accuracy", "test_accuracy", "test_accuracy_ci95"):
        assert run[key] is None
    assert run["history"] == []


def test_the_settings_in_a_document_repeat_the_run():
    record = made_record(spec=made_spec(lr=0.125, augment="flip"))
    [run] = strictly(runs_document("sample", [record]))["runs"]
    assert convert(run["settings"], Settings) == record.spec.settings


def read_csv(records):
    return list(csv.DictReader(io.StringIO(runs_csv(records))))


def test_csv_has_one_line_a_run_and_every_promised_column():
    rows = read_csv([made_record("fcn-50k"), made_record("cnn-10k", status=Status.STOPPED)])
    columns = set(rows[0])
    flat = set(PROMISED) - {"history", "test_accuracy_ci95"}
    assert flat | {"test_accuracy_ci95_low", "test_accuracy_ci95_high"} <= columns
    assert [row["model"] for row in rows] == ["fcn-50k", "cnn-10k"]
    assert rows[0]["shape"] == "59-49"
    assert float(rows[0]["test_accuracy"]) == 88.0
    assert float(rows[0]["test_accuracy_ci95_low"]) < 88 < float(rows[0]["test_accuracy_ci95_high"])
    assert rows[1]["test_accuracy"] == rows[1]["test_accuracy_ci95_low"] == ""


def test_csv_keeps_every_setting_in_its_own_column():
    [row] = read_csv([made_record(spec=made_spec(lr=0.125, init="xavier"))])
    assert (row["setting_lr"], row["setting_init"]) == ("0.125", "xavier")
    assert {f"setting_{name}" for name in Settings.__struct_fields__} <= set(row)


def test_csv_survives_a_cause_with_commas_quotes_and_lines():
    cause = 'It said "no",\nthen fell over.'
    [row] = read_csv([replace(made_record(status=Status.FAILED), cause=cause)])
    assert row["cause"] == cause


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (made_started(), "run_started"),
        (made_progress(), "progress"),
        (made_epoch(), "epoch_ended"),
        (made_finished(), "run_finished"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_event_is_an_object_with_its_name_and_run(event, name):
    told = strictly(event_object(event))
    assert (told["event"], told["run_id"]) == (name, event.run_id)


def test_the_last_event_says_how_it_ended_without_predictions():
    told = strictly(event_object(made_finished()))
    assert (told["status"], told["test_accuracy"]) == ("finished", 75.0)
    assert not {"test", "validation"} & set(told)


def test_the_models_document_has_the_reports_models_with_layers_that_add_up():
    networks = [(m.name, FAMILIES[m.arch], m.shape, m.budget) for m in REPORT_MODELS.values()] + [
        (None, FAMILIES["cnn"], (3, 4), 5_000)
    ]
    document = strictly(models_document(networks))
    assert document["schema"] == 1
    keys = {"model", "arch", "shape", "budget", "weights", "report_weights", "layers"}
    for model in document["models"]:
        assert set(model) == keys
        assert sum(layer["weights"] for layer in model["layers"]) == model["weights"]
        assert all(set(layer) == {"name", "output", "weights"} for layer in model["layers"])
    named = {model["model"]: model for model in document["models"]}
    assert (named["fcn-100k"]["weights"], named["fcn-100k"]["report_weights"]) == (100_968, 99_898)
    assert named[None]["shape"] == [3, 4]
