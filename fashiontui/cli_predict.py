"""``fashiontui predict``: what a stored network makes of pictures."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashiontui.cli_options import DataDirOption, JsonOption, StoreOption
from fashiontui.cli_runs import open_store
from fashiontui.domain.errors import ExitCode, FashiontuiError, UsageError
from fashiontui.domain.text import printable

if TYPE_CHECKING:
    from torch import nn

    from fashiontui.domain.record import RunRecord
    from fashiontui.predict import Answer
    from fashiontui.store import Store


def predict(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="PNG, JPEG, WebP, GIF or BMP files.")
    ],
    run_id: Annotated[
        str | None,
        typer.Option(
            "--run",
            help="Id of the run, or the beginning of it (default: the finished run on "
            "Fashion-MNIST with the best validation accuracy whose weights are here).",
        ),
    ] = None,
    data_dir: DataDirOption = None,
    json_: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Ask a stored network what garments pictures show, and say where it should not be believed.

    Pictures may have any size, light or dark backgrounds; each is brought to 28×28 as the data set
    was made (Xiao et al. 2017). One that cannot be read is named, and the others are answered.
    """
    from fashiontui.data import load
    from fashiontui.data.photo import as_seen, read_photo
    from fashiontui.paths import data_folders
    from fashiontui.predict import Likeness, answer

    with open_store(store) as opened:
        record, network = _chosen(opened, run_id)
    data = load(record.spec.dataset, data_folders(data_dir), _narrate)
    likeness = Likeness(data, record.spec.split_seed)
    _narrate(
        f"{record.spec.title}, run {record.id}: test accuracy {record.test_accuracy or 0:.2f}% on "
        f"{record.spec.dataset}."
    )
    answers: list[tuple[str, Answer]] = []
    unread = 0
    for image in images:
        try:
            answers.append((image, answer(as_seen(read_photo(Path(image))), network, likeness)))
        except FashiontuiError as error:
            unread += 1
            _narrate(f"fashiontui: {error}")
        else:
            if not json_:
                _print(*answers[-1])
    if json_:
        print(json.dumps(_document(record, answers), indent=2))
    if unread:
        raise typer.Exit(ExitCode.USAGE)


def _chosen(store: "Store", run_id: str | None) -> "tuple[RunRecord, nn.Module]":
    """The run that is asked, and its network.

    Raises:
        UsageError: no run can be.
    """
    from fashiontui.domain.events import Status
    from fashiontui.export.weights import stored_network

    if run_id is None:
        rows = [
            row
            for row in store.board()
            if row.status is Status.FINISHED
            and row.dataset == "fashion-mnist"
            and store.checkpoints.find(row.id)
        ]
        if not rows:
            raise UsageError(
                "There is no finished run on Fashion-MNIST with weights on this machine; train one "
                "with fashiontui --batch --model cnn-20k, or name a run with --run."
            )
        run_id = max(rows, key=lambda row: row.val_accuracy or 0.0).id
    record = store.get(run_id)
    return record, stored_network(store, record)


def _print(image: str, made: "Answer") -> None:
    """What the network sees, beside what it makes of it."""
    from rich.table import Table
    from rich.text import Text

    from fashiontui.export.pictures import bars, picture
    from fashiontui.export.terminal import stdout_console

    console = stdout_console()
    said = Text(printable(image), style="bold")
    said.append("\n\n")
    said.append_text(bars(made.probabilities, 5, doubtful=made.doubt is not None))
    if made.doubt:
        said.append(f"\n\nNot to be believed. {made.doubt}")
    both = Table.grid(padding=(0, 3))
    both.add_row(picture(made.seen.pixels, console.color_system is None), said)
    console.print(both)
    console.print()


def _document(record: "RunRecord", answers: "list[tuple[str, Answer]]") -> dict[str, object]:
    from fashiontui.domain.classes import CLASS_NAMES
    from fashiontui.export.documents import SCHEMA

    return {
        "schema": SCHEMA,
        "run": record.id,
        "pictures": [
            {
                "file": printable(image),
                "class": None if made.doubt else CLASS_NAMES[made.label],
                "doubt": made.doubt,
                "probabilities": dict(zip(CLASS_NAMES, made.probabilities, strict=True)),
                "negated": made.seen.negated,
            }
            for image, made in answers
        ],
    }


def _narrate(sentence: str) -> None:
    print(printable(sentence), file=sys.stderr)
