"""Tables for people: one's own figures, the report's beside them, and the differences."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import made_record, made_spec, right_on
from msgspec import structs

from fashiontui.domain.conclusions import conclusions
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.results import results
from fashiontui.export.tables import (
    Table,
    clock,
    conclusion_lines,
    every_table,
    latex,
    markdown,
    notes,
    result_tables,
)
from fashiontui.export.terminal import print_chart, print_table


def seven(**changes):
    return results([made_record(name, **changes) for name in REPORT_MODELS])


def test_the_reports_two_tables_are_filled():
    fcns, cnns = result_tables(seven())
    assert [row[0] for row in fcns.rows] == ["fcn-50k", "fcn-100k", "fcn-200k"]
    assert [row[0] for row in cnns.rows] == ["cnn-10k", "cnn-20k", "cnn-50k", "cnn-100k"]


def test_every_row_has_a_cell_for_every_column():
    for table in result_tables(seven()):
        assert {len(row) for row in table.rows} == {len(table.header)}


def test_the_reports_figures_and_the_differences_stand_beside_ones_own():
    table, _ = result_tables(seven(val_accuracy=90.45, correct=right_on(0, 880)))
    row = table.rows[0]
    assert row[:2] == ("fcn-50k", "49,755 (49,255)")
    assert row[2:5] == ("90.45", "89.95", "+0.50")
    assert row[5:7] == ("0:10", "1:00")
    assert row[7] == "88.00"
    assert row[-2:] == ("87.96 ± 2.09", "+0.04")


def test_a_figure_below_the_reports_has_a_negative_difference():
    table, _ = result_tables(seven(val_accuracy=80.0, correct=right_on(0, 800)))
    assert table.rows[0][4] == "-9.95"
    assert table.rows[0][-1] == "-7.96"


def test_both_kinds_of_spread_and_the_interval_are_shown():
    runs = [made_record("fcn-50k", right_on(0, 880 + 20 * s), seed=s) for s in (0, 1)]
    [table] = result_tables(results(runs))
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells["± seeds"] == "1.41"
    assert cells["seeds"] == "2"
    [result] = results(runs)
    assert cells["± batch"] == f"{result.batch_std:.2f}"
    assert cells["95%"] == "{:.2f}–{:.2f}".format(*result.interval)


def test_the_reports_count_is_in_brackets_only_where_it_differs():
    fcns, cnns = result_tables(seven())
    assert all("(" in row[1] for row in fcns.rows)
    assert not any("(" in row[1] for row in cnns.rows)


def test_results_on_the_sample_set_stand_in_their_own_table_without_the_reports_figures():
    [table] = result_tables(seven(dataset="sample"))
    assert "sample set" in table.title
    assert "report" not in table.header
    assert not any("87.96" in cell for row in table.rows for cell in row)
    assert any("NOT FASHION-MNIST" in note for note in notes(seven(dataset="sample")))


def test_a_shape_of_ones_own_has_no_figures_of_the_report_beside_it():
    [table] = result_tables(results([made_record(spec=made_spec("fcn", (59, 49)))]))
    assert "report" not in table.header
    assert table.rows[0][0] == "fcn 784-59-49-10"


def test_no_result_makes_no_table():
    assert result_tables([]) == []


def test_a_conclusion_says_whether_it_holds_and_whether_noise_could_do_it():
    lines = conclusion_lines(conclusions(seven()))
    claims = [line for line in lines if not line.startswith(" ")]
    assert len(claims) == 4
    # Seven equally good networks: every lead is 0, which is no lead and within noise.
    assert "DOES NOT HOLD; not every difference exceeds noise." in claims[0]
    assert claims[3].endswith("DOES NOT HOLD.")


def test_markdown_has_a_rule_below_the_header_and_a_line_a_row():
    text = markdown(Table("Title", ("Model", "Test %"), (("a", "1.0"), ("b", "2.0"))))
    assert text.splitlines() == [
        "**Title**",
        "",
        "| Model | Test % |",
        "| :--- | ---: |",
        "| a | 1.0 |",
        "| b | 2.0 |",
    ]


def test_latex_is_a_booktabs_table_with_a_column_for_every_cell():
    text = latex(Table("Title", ("Model", "A", "B"), (("a", "1", "2"),)))
    assert r"\begin{tabular}{lrr}" in text
    assert r"Model & A & B \\" in text
    assert r"a & 1 & 2 \\" in text
    parts = (r"\begin{table}", r"\toprule", r"\midrule", r"\bottomrule", r"\end{table}")
    assert [text.count(part) for part in parts] == [1] * 5


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("90 %", r"90 \%"),
        ("a_b", r"a\_b"),
        ("a & b", r"a \& b"),
        ("#1 {x}", r"\#1 \{x\}"),
        ("$5", r"\$5"),
        ("~", r"\textasciitilde{}"),
        ("^", r"\textasciicircum{}"),
        ("\\", r"\textbackslash{}"),
        ("1 ± 2", r"1 $\pm$ 2"),
        ("Δ", r"$\Delta$"),
    ],
)
def test_latex_escapes_what_means_something_to_it(plain, escaped):
    assert rf"{escaped} \\" in latex(Table("Title", ("Model",), ((plain,),)))


@given(st.text(st.sampled_from("a\\&%_#${}~^±Δ "), min_size=1, max_size=12))
def test_no_text_breaks_latex_apart(text):
    """What is left after all escapes are taken away has no special character but bare words."""
    line = latex(Table("T", ("M",), ((text,),))).splitlines()[7]
    assert line.endswith(r" \\")
    rest = re.sub(
        r"\\text(backslash|asciitilde|asciicircum)\{\}|\$\\(pm|Delta)\$|\\[&%_#${}]", "", line[:-3]
    )
    assert not set(rest) & set("\\&%_#${}~^±Δ")


def test_the_tables_of_the_seven_are_plain_ascii_in_latex():
    assert all(latex(table).isascii() for table in result_tables(seven()))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.95, "0:10"), (59.6, "1:00"), (60, "1:00")]
    + [(739, "12:19"), (3725, "62:05")],
)
def test_a_time_is_shown_as_the_report_shows_it(seconds, shown):
    assert clock(seconds) == shown


def test_no_cell_of_the_seven_is_cut_in_a_pipe(capsys):
    for table in result_tables(seven()):
        print_table(table)
    printed = capsys.readouterr().out
    assert "…" not in printed
    for table in result_tables(seven()):
        assert all(cell in printed for row in table.rows for cell in row)


LEARNT = [made_record(name, right_on(0, 870 + 7 * i)) for i, name in enumerate(REPORT_MODELS)]


def test_the_chart_shows_both_families_and_the_report(capsys):
    print_chart(results(LEARNT))
    printed = capsys.readouterr().out
    assert all(label in printed for label in ("FCN", "CNN", "the report"))


def test_the_chart_of_the_sample_set_leaves_the_report_out(capsys):
    fcn = made_record("fcn-50k", right_on(0, 815), dataset="sample")
    cnn = made_record("cnn-10k", right_on(0, 905), dataset="sample")
    print_chart(results([fcn, cnn]))
    assert "the report" not in capsys.readouterr().out


@pytest.mark.parametrize("right", [1000, 880, 815, 0])
def test_one_network_alone_has_a_chart_whatever_its_accuracy(right, capsys):
    correct = right_on(0, right)
    print_chart(results([made_record("cnn-10k", correct, dataset="sample")]))
    assert "CNN" in capsys.readouterr().out


def test_what_means_something_to_markdown_or_html_is_escaped():
    text = markdown(Table("T", ("M",), (("a|b <i> *c* `d` [e]",),)))
    assert text.splitlines()[-1] == r"| a\|b \<i> \*c\* \`d\` \[e\] |"


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_the_widest_tables_fit_a_page_of_a4(tmp_path):
    runs = [made_record(name, seed=seed) for name in REPORT_MODELS for seed in range(3)]
    runs += [replace(run, spec=structs.replace(run.spec, recipe="other")) for run in runs]
    tables = "\n".join(latex(table) for table in every_table(results(runs)))
    (tmp_path / "paper.tex").write_text(
        r"\documentclass[a4paper]{article}\usepackage{booktabs,graphicx}\begin{document}"
        rf"{tables}\end{{document}}"
    )
    compiled = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "paper.tex"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert compiled.returncode == 0, compiled.stdout
    assert "Overfull" not in compiled.stdout


def test_latex_numbers_its_tables_itself_and_has_real_minus_signs():
    text = latex(Table("Table 1. FCNs", ("M", "d"), (("a-1", "-0.02"),)))
    assert r"\caption{FCNs}" in text
    assert r"a-1 & $-$0.02 \\" in text


def test_a_difference_that_rounds_to_nothing_is_no_loss():
    table, _ = result_tables(seven(val_accuracy=89.949999))
    assert table.rows[0][4] == "+0.00"
