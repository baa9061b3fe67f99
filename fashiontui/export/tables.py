"""Tables for people: the report's two, filled from one's own runs, in several notations."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import to_builtins

from fashiontui.domain.conclusions import Conclusion
from fashiontui.domain.results import Result, ranked
from fashiontui.domain.shapes import FAMILIES

RANKS = (
    "#: rank by mean validation accuracy; rows with = share one, for noise alone may have put them "
    "in their order. 95% seeds: t-interval of that mean."
)
_MARKDOWN = re.compile(r"[\\`*\[\]<|]")
MOST_COLUMNS = 12
"""Wider tables are scaled to the width of the lines in LaTeX."""
_MINUS = re.compile(r"^-(?=\d)")
_NUMBER = re.compile(r"^Table \d\. ")
"""LaTeX numbers its tables itself."""
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "_": r"\_",
        "#": r"\#",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "Δ": r"$\Delta$",
        "−": r"$-$",
        "–": "--",
    }
)


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column is left-aligned, the others are figures."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[str, ...] = ()
    """Names of other columns that are no figures."""


def result_tables(found: Sequence[Result]) -> list[Table]:
    """The report's table of each family, then one of all other shapes."""
    tables = []
    for family in FAMILIES.values():
        ours = [result for result in found if result.report and result.arch == family.name]
        if ours and family.report:
            number = family.report.table
            title = f"Table {number}. {family.title}s of the report: ours, and the report's figures"
            tables.append(_table(title, ours, beside_report=True))
    others = [result for result in found if not result.report]
    if others:
        on = "the sample set" if _on_sample(others) else "Fashion-MNIST"
        tables.append(_table(f"Results on {on}", others, beside_report=False))
    return tables


def ranked_tables(found: Sequence[Result]) -> list[Table]:
    """All results on each data set, the best on validation first."""
    tables = []
    for dataset in dict.fromkeys(result.runs[0].spec.dataset for result in found):
        ours = [result for result in found if result.runs[0].spec.dataset == dataset]
        order = sorted(zip(ours, ranked(ours), strict=True), key=lambda one: -one[0].val_accuracy)
        header = ("Model", "#", "Recipe", "Weights", "seeds", "Val %", "± seeds", "95% seeds")
        rows = tuple(_ranked_row(result, str(rank)) for result, rank in order)
        title = f"Ranked on validation, {dataset}"
        tables.append(Table(title, (*header, "Test %", "± seeds", "Time"), rows))
    return tables


def every_table(found: Sequence[Result]) -> list[Table]:
    """The tables of results, and where there are several seeds of one, their ranks."""
    return [*result_tables(found), *(ranked_tables(found) if _over_seeds(found) else [])]


def notes(found: Sequence[Result]) -> list[str]:
    """What the tables' signs mean, a sentence each."""
    said = [
        "± batch: standard deviation of test accuracy over batches of 256, the report's ±; it says "
        "how much a batch of 256 varies.",
        "95%: Wilson interval of the test accuracy for the number of test images.",
    ]
    if _over_seeds(found):
        said += [
            "± seeds: standard deviation over seeds of the accuracy before it; figures are means "
            "over seeds.",
            RANKS,
        ]
    if any(result.report and result.weights != result.report.report_weights for result in found):
        said.append(
            "Weights: every trainable parameter; the report's own count, in brackets where it "
            "differs, leaves out the FCNs' output layer."
        )
    if found and _on_sample(found):
        said.append("THE SAMPLE SET IS NOT FASHION-MNIST: these figures say nothing about it.")
    return said


def conclusion_lines(drawn: Iterable[Conclusion]) -> list[str]:
    """The recomputed conclusions, the claim first and its evidence below it."""
    lines = []
    for conclusion in drawn:
        verdict = "HOLDS" if conclusion.holds else "DOES NOT HOLD"
        if conclusion.beyond_noise is not None:
            how_many = "every" if conclusion.beyond_noise else "not every"
            verdict += f"; {how_many} difference exceeds noise"
        lines.append(f"{conclusion.claim} {verdict}.")
        lines += [f"  {sentence}" for sentence in conclusion.evidence]
    return lines


def markdown(table: Table) -> str:
    """The table as GitHub's Markdown."""
    header, *rows = ([*map(markdown_text, cells)] for cells in (table.header, *table.rows))
    rule = [":---", *["---:"] * (len(table.header) - 1)]
    lines = [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]
    return "\n".join([f"**{markdown_text(table.title)}**", "", *lines])


def markdown_text(text: str) -> str:
    """Text with what means something to Markdown, or to HTML in it, escaped."""
    return _MARKDOWN.sub(r"\\\g<0>", text)


def markdown_document(found: Sequence[Result], drawn: Iterable[Conclusion]) -> str:
    """Every table, the conclusions and what the signs mean, as Markdown."""
    said = [f"- {markdown_text(line)}" for line in [*conclusion_lines(drawn), *notes(found)]]
    return "\n\n".join([*map(markdown, every_table(found)), "\n".join(said)])


def latex(table: Table) -> str:
    """The table as LaTeX; needs the packages booktabs and, where it is wide, graphicx."""
    wide = len(table.header) > MOST_COLUMNS
    lines = [
        r"\begin{table}[ht]",
        r"\centering\footnotesize\setlength{\tabcolsep}{2pt}",
        rf"\caption{{{_latex_text(_NUMBER.sub('', table.title))}}}",
        *([r"\resizebox{\linewidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        r"\toprule",
        _latex_row(table.header),
        r"\midrule",
        *(_latex_row(row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}" + "}" * wide,
        r"\end{table}",
    ]
    return "\n".join(lines)


def clock(seconds: float) -> str:
    """A time as m:ss, or with tenths of a second below ten seconds."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _table(title: str, found: Sequence[Result], beside_report: bool) -> Table:
    over_seeds = _over_seeds(found)
    recipes = _recipes(found)
    header = ["Model", *(["Recipe"] if recipes else []), "Weights", "Val %"]
    header += ["report", "Δ"] if beside_report else []
    header += ["Time"]
    header += ["report"] if beside_report else []
    header += ["Test %", *(["± seeds", "seeds"] if over_seeds else []), "± batch", "95%"]
    header += ["report", "Δ"] if beside_report else []
    rows = [_row(result, over_seeds) for result in found]
    if recipes:
        rows = [(row[0], said, *row[1:]) for row, said in zip(rows, recipes, strict=True)]
    return Table(title, tuple(header), tuple(rows))


def _recipes(found: Sequence[Result]) -> list[str]:
    """How each network was trained, where that tells rows apart; otherwise nothing."""
    specs = [result.runs[0].spec for result in found]
    titles = Counter(spec.title for spec in specs)
    if len({spec.recipe_title for spec in specs}) == 1 and max(titles.values()) == 1:
        return []
    said = []
    for spec in specs:
        alike = [s for s in specs if (s.title, s.recipe_title) == (spec.title, spec.recipe_title)]
        settings = [
            {
                **to_builtins(s.settings),
                "precision": s.precision,
                "threads": s.threads or "auto",
                "kernels": s.kernels,
            }
            for s in alike
        ]
        mine = settings[alike.index(spec)]
        differing = [name for name in mine if any(s[name] != mine[name] for s in settings)]
        said.append(", ".join([spec.recipe_title, *(f"{name} {mine[name]}" for name in differing)]))
    return said


def _row(result: Result, over_seeds: bool) -> tuple[str, ...]:
    report = result.report
    weights = f"{result.weights:,}"
    if report and report.report_weights != result.weights:
        weights += f" ({report.report_weights:,})"
    low, high = result.interval
    cells = [result.title, weights, f"{result.val_accuracy:.2f}"]
    if report:
        cells += [f"{report.val_accuracy:.2f}", _signed(result.val_accuracy - report.val_accuracy)]
    cells += [clock(result.train_seconds)]
    if report:
        cells += [clock(report.train_seconds)]
    cells += [f"{result.test_accuracy:.2f}"]
    if over_seeds:
        cells += [_points(result.seed_std)]
        cells += [str(len(result.runs))]
    cells += [f"{result.batch_std:.2f}", f"{low:.2f}–{high:.2f}"]
    if report:
        cells += [
            f"{report.test_accuracy:.2f} ± {report.test_batch_std:.2f}",
            _signed(result.test_accuracy - report.test_accuracy),
        ]
    return tuple(cells)


def _ranked_row(result: Result, rank: str) -> tuple[str, ...]:
    interval = result.val_interval
    return (
        result.title,
        rank,
        result.runs[0].spec.recipe_title,
        f"{result.weights:,}",
        str(len(result.runs)),
        f"{result.val_accuracy:.2f}",
        _points(result.val_std),
        f"{interval[0]:.2f}–{interval[1]:.2f}" if interval else "–",
        f"{result.test_accuracy:.2f}",
        _points(result.seed_std),
        clock(result.train_seconds),
    )


def _over_seeds(found: Sequence[Result]) -> bool:
    return any(result.seed_std is not None for result in found)


def _points(std: float | None) -> str:
    return "–" if std is None else f"{std:.2f}"


def _signed(points: float) -> str:
    """A difference with its sign; what rounds to nothing has none to be mistaken for a loss."""
    return f"{round(points, 2) + 0.0:+.2f}"


def _on_sample(found: Sequence[Result]) -> bool:
    return found[0].runs[0].spec.dataset == "sample"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_MINUS.sub("−", cell).translate(_LATEX) for cell in cells) + r" \\"


def _latex_text(text: str) -> str:
    return text.translate(_LATEX)
