"""``fashiontui export``: stored runs as tables, figures and files of other programs."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashiontui.cli_runs import StoreOption, counted_runs, open_store
from fashiontui.domain.errors import UsageError

if TYPE_CHECKING:
    from fashiontui.domain.record import RunRecord

export_app = typer.Typer(no_args_is_help=True)

RunIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN",
        help="Ids, or beginnings of them (default: all finished runs on Fashion-MNIST).",
    ),
]
RecipeOption = Annotated[str | None, typer.Option(help="Only runs of this recipe.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]


@export_app.callback()
def export() -> None:
    """Write stored runs as tables, figures and files of other programs."""


@export_app.command("tables")
def tables(
    file: Annotated[str, typer.Argument(help="Its ending says what: .md, .tex, .csv or .json.")],
    run_ids: RunIds = None,
    recipe: RecipeOption = None,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Write tables as Markdown or LaTeX (booktabs), or one run a line as CSV, or JSON."""
    ending = ending_of(file, (".md", ".tex", ".csv", ".json"))
    with open_store(store) as opened:
        from fashiontui.export.selection import finished_runs

        records = finished_runs(opened, run_ids or [], recipe)
    write_text(file, _tables(ending, records), force)
    print(f"Wrote {counted_runs(len(records))} to {file}.", file=sys.stderr)


def _tables(ending: str, records: "list[RunRecord]") -> str:
    from fashiontui.domain.conclusions import conclusions
    from fashiontui.domain.results import in_order, of_one_recipe, results
    from fashiontui.export.documents import runs_csv, runs_document
    from fashiontui.export.tables import latex, markdown_document, result_tables

    match ending:
        case ".csv":
            return runs_csv(records)
        case ".json":
            dataset = records[0].spec.dataset
            return json.dumps(runs_document(dataset, records), indent=2) + "\n"
    found = in_order(results(records))
    if ending == ".tex":
        return "\n\n".join(map(latex, result_tables(found))) + "\n"
    return markdown_document(found, conclusions(of_one_recipe(found))) + "\n"


def ending_of(file: str, known: tuple[str, ...]) -> str:
    """The ending of a file's name, which says what to write.

    Raises:
        UsageError: it is none of those known.
    """
    ending = Path(file).suffix.lower()
    if ending not in known:
        *others, last = known
        raise UsageError(f"{file} should end in {', '.join(others)} or {last}.")
    return ending


def write_text(file: str, text: str, force: bool) -> None:
    """Write a text file, whole or not at all."""
    from fashiontui.domain.writing import written_whole

    with written_whole(Path(file), force) as place:
        place.write_text(text, encoding="utf-8", newline="\n")


@export_app.command("figures")
def figures(
    folder: Annotated[str, typer.Argument(help="Where figure-1, figure-2 and pareto are written.")],
    run_ids: RunIds = None,
    form: Annotated[str, typer.Option("--format", help="png, svg or pdf.")] = "png",
    recipe: RecipeOption = None,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Draw the report's figures 1 and 2 and the Pareto plot, as far as their runs are there."""
    if form not in ("png", "svg", "pdf"):
        raise UsageError(f"--format takes png, svg or pdf, not {form!r}.")
    with open_store(store) as opened:
        from fashiontui.export.selection import finished_runs

        records = finished_runs(opened, run_ids or [], recipe)
    from fashiontui.domain.results import of_one_recipe, results
    from fashiontui.export import figures as drawing

    found = results(records)
    compared = of_one_recipe(found)
    drawn = drawing.figures(found, compared)
    written = {
        Path(folder) / f"{name}.{form}": drawing.rendered(figure, form)
        for name, figure in drawn.items()
    }
    write_all(written, force)
    print(f"Wrote {', '.join(str(path) for path in written)}.", file=sys.stderr)
    trained = {result.title for result in compared}
    for name, models in (("figure-1", drawing.FIGURE_1), ("figure-2", drawing.FIGURE_2)):
        if missing := [model for model in models if model not in trained]:
            print(f"No {name}: it needs runs of {' and '.join(missing)}.", file=sys.stderr)


def report(
    file: Annotated[str, typer.Argument(help="An .html or .md file.")],
    run_ids: RunIds = None,
    recipe: RecipeOption = None,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Write one self-contained report: tables, figures and conclusions of stored runs."""
    ending = ending_of(file, (".html", ".md"))
    with open_store(store) as opened:
        from fashiontui.export.selection import finished_runs

        records = finished_runs(opened, run_ids or [], recipe)
    from fashiontui.export.report import as_html, as_markdown, contents

    said = contents(records)
    write_text(file, as_html(said) if ending == ".html" else as_markdown(said), force)
    print(f"Wrote the report of {counted_runs(len(records))} to {file}.", file=sys.stderr)


def write_all(files: dict[Path, bytes], force: bool) -> None:
    """Write several files, each whole or not at all, once none of them is in the way."""
    from fashiontui.domain.writing import make_folder, refuse_to_replace, written_whole

    for path in files:
        refuse_to_replace(path, force)
    for path, content in files.items():
        make_folder(path.parent)
        with written_whole(path, force) as place:
            place.write_bytes(content)
