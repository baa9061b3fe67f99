"""``fashiontui export``: what is written is whole, and said in one sentence when it is not."""

import csv
import json
import os
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from making import made_record, made_spec, right_on
from msgspec import structs

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
            record = made_record(spec=structs.replace(spec, recipe=recipe))
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


def test_figures_are_written_into_a_folder_made_for_them(here, kept, tmp_path):
    told = here("export", "figures", "new/folder", "--format", "svg", "--store", kept)
    assert told.code == 0, told.err
    names = sorted(path.name for path in (tmp_path / "new/folder").iterdir())
    assert names == ["figure-1.svg", "figure-2.svg", "pareto.svg"]
    again = here("export", "figures", "new/folder", "--format", "svg", "--store", kept)
    is_refused(again, "is there already; --force")


def test_figures_that_cannot_be_drawn_say_which_runs_they_need(here, kept):
    told = here("export", "figures", "some", "a0", "a1", "--store", kept)
    assert told.code == 0, told.err
    assert "No figure-1: it needs runs of cnn-100k." in told.err
    assert "No figure-2: it needs runs of cnn-50k and cnn-20k and cnn-10k." in told.err
    is_refused(here("export", "figures", "x", "--format", "gif", "--store", kept), "--format takes")
    is_refused(here("export", "figures", "there", "--store", "empty.db"), "train some")


def test_a_report_is_written_as_a_page(here, kept, tmp_path):
    told = here("report", "report.html", "--store", kept)
    assert (told.code, told.err) == (0, "Wrote the report of 7 runs to report.html.\n")
    assert read(tmp_path / "report.html").startswith("<!doctype html>")
    is_refused(here("report", "report.pdf", "--store", kept), "should end in .html or .md")


def without(monkeypatch, *packages):
    """Pretend that packages, and what of ours imports them, are not there."""
    for name in [name for name in sys.modules if name.split(".")[0] in packages]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith("fashiontui.export.")]:
        monkeypatch.delitem(sys.modules, name)
        parent, child = name.rsplit(".", 1)
        monkeypatch.delattr(sys.modules[parent], child, raising=False)
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize("command", [("export", "figures", "f"), ("report", "r.html")])
def test_figures_without_matplotlib_say_what_to_install(command, here, kept, monkeypatch):
    without(monkeypatch, "matplotlib")
    is_refused(here(*command, "--store", kept), "pip install 'fashiontui[figures]'")
