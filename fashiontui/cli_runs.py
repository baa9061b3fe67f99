"""``fashiontui runs``: list, show, delete, export and import what the store keeps."""

import json
import sys
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashiontui.cli_options import JsonOption, StoreOption
from fashiontui.domain.errors import UsageError

if TYPE_CHECKING:
    from fashiontui.store import Store

runs_app = typer.Typer()


@runs_app.callback(invoke_without_command=True)
def runs(context: typer.Context, store: StoreOption = None, json_: JsonOption = False) -> None:
    """List, show, delete, export or import stored runs; lists them when it is not said which."""
    if context.invoked_subcommand is None:
        list_runs(store, json_)


@runs_app.command("list")
def list_runs(store: StoreOption = None, json_: JsonOption = False) -> None:
    """List stored runs, the newest first, then what is finished, ranked over seeds."""
    from fashiontui.domain.results import results

    with open_store(store) as opened:
        records, checkpoints = opened.runs(), opened.checkpoints.sizes()
    if json_:
        from fashiontui.export.documents import SCHEMA, result_objects, run_object

        listed = [
            run_object(run) | {"checkpoint_bytes": checkpoints.get(run.id)} for run in records
        ]
        found = result_objects(results(records))
        print(json.dumps({"schema": SCHEMA, "runs": listed, "results": found}, indent=2))
    else:
        from fashiontui.export.terminal import print_ranked, print_runs

        print_runs(records, checkpoints)
        print_ranked(results(records))


@runs_app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:
    """Show one run: its spec, its history and its results."""
    with open_store(store) as opened:
        record = opened.get(run_id)
    from fashiontui.export.documents import run_object

    if json_:
        print(json.dumps(run_object(record), indent=2))
    else:
        from fashiontui.export.terminal import print_run

        print_run(record)


@runs_app.command("delete")
def delete_run(
    run_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    store: StoreOption = None,
) -> None:
    """Delete one run, its history and its predictions."""
    with open_store(store) as opened:
        print(f"Deleted run {opened.delete(run_id)}.", file=sys.stderr)


@runs_app.command("export")
def export(
    file: Annotated[str, typer.Argument(help="The file to write: a store itself.")],
    run_ids: Annotated[
        list[str] | None, typer.Argument(help="Ids, or beginnings of them (default: all runs).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    store: StoreOption = None,
) -> None:
    """Copy runs to a file that --store opens and runs import reads.

    Checkpoints of models are files outside of the store; they are not copied.
    """
    if "://" in file:
        raise UsageError(
            "runs export writes a file; to copy runs to a server: "
            "fashiontui runs import FILE --store URL"
        )
    with open_store(store) as opened:
        from fashiontui.store.transfer import export_runs

        count = export_runs(opened, Path(file), run_ids or [], force)
    print(f"Exported {counted_runs(count)} to {file}.", file=sys.stderr)


@runs_app.command("import")
def import_(
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="An exported file, or any store's path or URL.")
    ],
    store: StoreOption = None,
) -> None:
    """Add the runs of another store to this one; runs that are there already stay as they are.

    The other store is not changed. Checkpoints of models are files outside of it; they are not
    copied.
    """
    with open_store(store) as opened:
        from fashiontui.store.transfer import import_runs

        done = import_runs(opened, source)
    were = "was" if done.known == 1 else "were"
    print(f"Imported {counted_runs(done.new)}, {done.known} {were} already there.", file=sys.stderr)


def counted_runs(count: int) -> str:
    """How many runs, in words."""
    return "1 run" if count == 1 else f"{count:,} runs"


def open_store(where: str | None) -> "AbstractContextManager[Store]":
    """The store, closed at the end: SQLite then leaves one file, without its log beside it."""
    from fashiontui.paths import default_store
    from fashiontui.store import Store

    return closing(Store(where or default_store()))
