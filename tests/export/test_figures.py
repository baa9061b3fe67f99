"""Figures for papers: the report's layout, one file each, the same bytes for the same runs."""

import pytest
from making import made_record, made_spec, right_on

from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.results import of_one_recipe, results
from fashiontui.export.figures import DOTS_PER_INCH, caption, figures, frontier, rendered


def seven():
    return results(
        [made_record(name, right_on(0, 870 + 7 * i)) for i, name in enumerate(REPORT_MODELS)]
    )


@pytest.fixture(scope="module")
def drawn():
    return figures(seven(), of_one_recipe(seven()))


def test_figure_1_has_fcn_above_cnn_and_figure_2_the_three_smaller_cnns(drawn):
    titles = {name: [axes.get_title("left") for axes in drawn[name].axes] for name in drawn}
    assert [title.split(",")[0] for title in titles["figure-1"][::2]] == [
        "(A) FCN-100K",
        "(B) CNN-100K",
    ]
    assert [title.split(",")[0] for title in titles["figure-2"][::2]] == [
        "(A) CNN-50K",
        "(B) CNN-20K",
        "(C) CNN-10K",
    ]


def test_figure_1_has_validation_loss_and_figure_2_has_not_as_in_the_report(drawn):
    def curves(name):
        return {line.get_label() for axes in drawn[name].axes for line in axes.get_lines()}

    assert {"training loss", "validation loss", "validation"} < curves("figure-1")
    assert "validation loss" not in curves("figure-2")
    assert any("91.03" in label for label in curves("figure-1"))


def test_every_seed_is_a_curve_and_has_one_name():
    runs = [made_record(name, seed=s) for name in ("fcn-100k", "cnn-100k") for s in range(3)]
    losses = figures([], of_one_recipe(results(runs)))["figure-1"].axes[0]
    labels = [line.get_label() for line in losses.get_lines()]
    assert len(labels) == 6
    assert labels.count("training loss") == 1


def test_a_figure_whose_runs_are_not_there_is_not_drawn():
    found = results([made_record("fcn-100k")])
    assert set(figures(found, of_one_recipe(found))) == {"pareto"}


@pytest.mark.parametrize(
    ("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_a_figure_is_the_same_file_every_time(form, begins, drawn):
    content = rendered(drawn["pareto"], form)
    assert content.startswith(begins)
    assert rendered(figures(seven(), [])["pareto"], form) == content
    assert DOTS_PER_INCH >= 150


def test_the_frontier_has_what_no_smaller_network_exceeds():
    rights = {(4,): 800, (8,): 790, (16,): 850, (32,): 850}
    found = results(
        [made_record(spec=made_spec("fcn", s), correct=right_on(0, n)) for s, n in rights.items()]
    )
    assert [one.runs[0].spec.shape for one in frontier(found)] == [(4,), (16,)]


def test_every_figure_has_a_caption(drawn):
    assert all(caption(name) for name in drawn)
