"""``fashiontui export``: what is written is whole, and said in one sentence when it is not."""

import csv
import json
import os
from contextlib import closing
from dataclasses import replace

import pytest
from making import made_record, made_spec, right_on

from fashiontui.domain.events import Status
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.store import Store


@pytest.fixture
def kept(tmp_path):
    """A store with the seven models, a run on the sample set and one that was stopped."""
    where = str(tmp_path / "runs.sqlite3")
    with closing(Store(where)) as store:
        for number, name in enumerate(REPORT_MODELS):
            correct = right_on(0, 870 + 7 * number)
            store.restore(made_record(name, correct, run_id=f"a{number}0000000000"))
        store.restore(made_record("fcn-50k", dataset="sample", run_id="bb0000000000"))
        store.restore(made_record("fcn-50k", status=Status.STOPPED, run_id="cc0000000000"))
    return where


def read(path):
    return path.read_text("utf-8")


def is_refused(outcome, said):
    """One sentence on stderr, nothing on stdout, wrong usage."""
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1), outcome.err
    assert outcome.err.startswith("fashiontui: ")
    assert said in outcome.err


def test_the_reports_tables_are_written_in_every_form(here, kept, tmp_path):
    for name in ("tables.md", "tables.tex", "runs.csv", "runs.json"):
        told = here("export", "tables", name, "--store", kept)
        assert (told.code, told.out, told.err) == (0, "", f"Wrote 7 runs to {name}.\n")
    in_markdown = (tmp_path / "tables.md").read_text("utf-8")
    assert in_markdown.index("| fcn-50k |") < in_markdown.index("| cnn-100k |")
    assert "CNN-20K beats FCN-200K" in in_markdown
    assert (tmp_path / "tables.tex").read_text("ascii").count(r"\begin{table}") == 2
    rows = list(csv.DictReader(read(tmp_path / "runs.csv").splitlines()))
    assert {row["model"] for row in rows} == set(REPORT_MODELS)
    document = json.loads((tmp_path / "runs.json").read_text("utf-8"))
    assert (document["schema"], document["dataset"]) == (1, "fashion-mnist")
    assert len(document["runs"]) == 7


def test_runs_are_chosen_by_the_beginning_of_their_ids(here, kept, tmp_path):
    assert here("export", "tables", "two.csv", "a1", "a3", "a1", "--store", kept).code == 0
    rows = list(csv.DictReader(read(tmp_path / "two.csv").splitlines()))
    assert {row["model"] for row in rows} == {"fcn-100k", "cnn-10k"}


def test_a_run_on_the_sample_set_is_exported_when_it_is_named(here, kept, tmp_path):
    assert here("export", "tables", "sample.md", "bb", "--store", kept).code == 0
    assert "NOT FASHION-MNIST" in (tmp_path / "sample.md").read_text("utf-8")


def test_rows_of_several_recipes_are_told_apart(here, kept, tmp_path):
    with closing(Store(kept)) as store:
        for run_id, recipe, epochs in (("d1", "best", 1), ("d2", "best", 9)):
            spec = made_spec(model="fcn-50k", epochs=epochs)
            record = made_record(spec=spec.model_copy(update={"recipe": recipe}))
            store.restore(replace(record, id=f"{run_id}0000000000"))
    assert here("export", "tables", "all.md", "--store", kept).code == 0
    written = (tmp_path / "all.md").read_text("utf-8")
    for said in ("| fcn-50k | made |", "| fcn-50k | best, epochs 1 |", "best, epochs 9 |"):
        assert said in written
    assert here("export", "tables", "best.csv", "--recipe", "best", "--store", kept).code == 0
    rows = list(csv.DictReader(read(tmp_path / "best.csv").splitlines()))
    assert {row["setting_epochs"] for row in rows} == {"1", "9"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("t.md", "ffff"), "There is no run 'ffff'"),
        (("t.md", "a"), "Several runs begin with 'a'"),
        (("t.md", "cc"), "Run cc0000000000 is stopped and has no predictions"),
        (("t.md", "bb", "a1"), "never share a table"),
        (("t.md", "--recipe", "nobodys"), "no finished run with the recipe nobodys"),
        (("t.xlsx",), "t.xlsx should end in .md, .tex, .csv or .json."),
        (("nowhere/t.md",), "Cannot write nowhere/t.md: No such file or directory"),
        (("there.md",), "there.md is there already; --force"),
        (("folder.md",), "folder.md is a folder"),
        (("pipe.md", "--force"), "pipe.md is no ordinary file"),
        (("x" * 300 + ".md",), "File name too long"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(arguments, said, here, kept, tmp_path):
    (tmp_path / "there.md").write_text("precious", "utf-8")
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")
    before = sorted(path.name for path in tmp_path.iterdir())
    is_refused(here("export", "tables", *arguments, "--store", kept), said)
    assert (tmp_path / "there.md").read_text("utf-8") == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_file_is_replaced_when_that_is_said(here, kept, tmp_path):
    (tmp_path / "there.md").write_text("old", "utf-8")
    assert here("export", "tables", "there.md", "--force", "--store", kept).code == 0
    assert "| fcn-50k |" in (tmp_path / "there.md").read_text("utf-8")


def test_an_empty_store_says_what_to_do(here):
    told = here("export", "tables", "t.md", "--store", "empty.db")
    is_refused(told, "train some with fashiontui --batch")
