"""``fashiontui export``: stored runs as tables, figures and files of other programs."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashiontui.cli_options import DataDirOption, StoreOption
from fashiontui.cli_runs import counted_runs, open_store
from fashiontui.domain.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

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
    """Write tables as Markdown or LaTeX (booktabs, graphicx), or one run a line as CSV, or JSON."""
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
    from fashiontui.export.tables import every_table, latex, markdown_document

    match ending:
        case ".csv":
            return runs_csv(records)
        case ".json":
            dataset = records[0].spec.dataset
            return json.dumps(runs_document(dataset, records), indent=2) + "\n"
    found = in_order(results(records))
    if ending == ".tex":
        return "\n\n".join(map(latex, every_table(found))) + "\n"
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


@export_app.command("model")
def model(
    file: Annotated[str, typer.Argument(help="A .safetensors or an .onnx file.")],
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Its id, or the beginning of it.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantise the ONNX network to 8 bits a weight.")
    ] = False,
    data_dir: DataDirOption = None,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Write a run's network for other programs; ONNX is checked on the whole test set first."""
    ending = ending_of(file, (".safetensors", ".onnx"))
    if int8 and ending != ".onnx":
        raise UsageError("--int8 is for .onnx files.")
    from fashiontui.domain.writing import refuse_to_replace, written_whole
    from fashiontui.paths import data_folders

    refuse_to_replace(Path(file), force)
    with open_store(store) as opened:
        from fashiontui.export.weights import stored_network

        record = opened.get(run_id)
        network = stored_network(opened, record)
    said: list[str] = []
    if ending == ".safetensors":
        from fashiontui.export.model import as_safetensors

        content = as_safetensors(network, record)
    else:
        content, said = _onnx(network, record, int8, data_folders(data_dir))
    with written_whole(Path(file), force) as place:
        place.write_bytes(content)
    size = f"{len(content):,} bytes for {record.spec.weights:,} weights"
    print(f"Wrote {record.spec.title}, run {record.id}, to {file}: {size}.", file=sys.stderr)
    for sentence in said:
        print(sentence, file=sys.stderr)


def _onnx(
    network: "nn.Module", record: "RunRecord", int8: bool, folders: list[Path]
) -> tuple[bytes, list[str]]:
    """The file, and how it did on the test set."""
    from fashiontui.data import load
    from fashiontui.export.model import as_int8, as_onnx, check, refuse_other

    content = exact_content = as_onnx(network, record)
    data = load(record.spec.dataset, folders, lambda said: print(said, file=sys.stderr))
    exact = check(content, network, data)
    refuse_other(exact)
    said = [
        f"onnxruntime and torch agree on {exact.agreeing:,} of {exact.images:,} test images "
        f"(logits differ by {exact.difference:.1e} at most): {exact.accuracy:.2f}% in fp32; the "
        f"run was scored with {record.test_accuracy or 0:.2f}% in {record.precision}."
    ]
    if int8:
        content = as_int8(content, data, record.spec.split_seed)
        rounded = check(content, network, data)
        said.append(
            f"In int8, {len(content):,} bytes instead of {len(exact_content):,}: "
            f"{rounded.accuracy:.2f}% ({rounded.accuracy - exact.accuracy:+.2f} points), the same "
            f"class on {rounded.agreeing:,} of {rounded.images:,} test images."
        )
    return content, said


@export_app.command("tensorboard")
def tensorboard(
    folder: Annotated[str, typer.Argument(help="The log folder; each run gets a folder in it.")],
    run_ids: RunIds = None,
    recipe: RecipeOption = None,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Write runs as TensorBoard event files: tensorboard --logdir FOLDER shows them."""
    with open_store(store) as opened:
        from fashiontui.export.selection import finished_runs

        records = finished_runs(opened, run_ids or [], recipe)
    from fashiontui.export.to_tensorboard import write_events

    write_events(records, Path(folder), force)
    print(f"Wrote {counted_runs(len(records))} into {folder}.", file=sys.stderr)


@export_app.command("mlflow")
def mlflow(
    where: Annotated[
        str, typer.Argument(help="A tracking server like http://host:5000, or an SQLite file.")
    ],
    run_ids: RunIds = None,
    recipe: RecipeOption = None,
    store: StoreOption = None,
) -> None:
    """Add runs to MLflow's experiment "fashiontui"; those it has already stay as they are."""
    with open_store(store) as opened:
        from fashiontui.export.selection import finished_runs

        records = finished_runs(opened, run_ids or [], recipe)
    from fashiontui.export.to_mlflow import write_runs

    done = write_runs(records, where)
    were = "was" if done.known == 1 else "were"
    print(
        f"Wrote {counted_runs(done.new)} to {where}, {done.known} {were} already there.",
        file=sys.stderr,
    )
