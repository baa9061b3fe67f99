"""The record: what its rows say is what their commands train, and what the README shows."""

import json
import shlex

import pytest
from msgspec import to_builtins

from benchmarks.records import BEGIN, DOCUMENT, END, README, ROWS, command, specs, table
from fashiontui import batch, cli
from fashiontui.domain.shapes import family_named

WHERE = {"device": "cpu", "threads": 1}
STORED = json.loads(DOCUMENT.read_text("utf-8"))["rows"]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.teachers])
def test_a_rows_command_plans_the_very_runs_of_the_row(name, monkeypatch, tmp_path):
    planned = []
    monkeypatch.setattr(batch, "run_batch", lambda specs, **_: planned.extend(specs) or 0)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    wanted = specs(ROWS[name], [0, 1, 2], 7, **WHERE)
    program, *arguments = shlex.split(command(name, wanted[0], [0, 1, 2]))
    assert program == "fashiontui"
    assert cli.app([*arguments, "--store", str(tmp_path / "x")], standalone_mode=False) == 0
    assert planned == wanted


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_row_counts_every_weight_and_keeps_its_budget(row):
    assert 0.97 * row.budget <= family_named(row.arch).weights(row.shape) <= row.budget


def test_the_readme_shows_the_stored_rows():
    shown = README.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == table(STORED).strip()


@pytest.mark.parametrize("row", STORED, ids=[row["row"] for row in STORED])
def test_a_stored_row_is_of_the_network_and_settings_that_its_command_trains(row):
    teacher = row["settings"]["teacher"]
    wanted = specs(ROWS[row["row"]], row["seeds"], row["epochs"], teacher, **WHERE)
    assert (list(wanted[0].shape), wanted[0].weights) == (row["shape"], row["weights"])
    assert to_builtins(wanted[0].settings) == row["settings"]
    assert row["command"] == command(row["row"], wanted[0], row["seeds"])
    assert row["seeds"] == [run["seed"] for run in row["runs"]]
    if ROWS[row["row"]].reach is None:
        assert (row["reach"], row["reached"]) == (None, None)
    else:
        enough = len(row["seeds"]) >= 5
        assert row["reached"] == (enough and round(row["test_mean"], 2) >= row["reach"])


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.teachers])
def test_a_taught_row_was_taught_by_every_seed_of_the_row_it_names(name):
    stored = {row["row"]: row for row in STORED}
    if name not in stored:
        pytest.skip("the row was not trained")
    taught, teachers = stored[name], stored[stored[name]["teachers"]["row"]]
    assert teachers["epochs"] == taught["teachers"]["epochs"] == ROWS[name].teachers.epochs
    names = sorted(run["weights_sha256"][:12] for run in teachers["runs"])
    assert taught["settings"]["teacher"] == "+".join(names)


def test_rows_without_teachers_learn_the_labels():
    assert {row["settings"]["teacher"] for row in STORED if not row["teachers"]} <= {"none"}
