"""What a sweep would train, and how long that would take."""

import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from msgspec import structs, to_builtins
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fashiontui.batch import OnRay, joined, left_to_do
from fashiontui.data import load
from fashiontui.domain.recipe import Settings
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DataChoice, RunSpec
from fashiontui.estimate import seconds_of
from fashiontui.export.documents import SCHEMA
from fashiontui.export.tables import clock
from fashiontui.export.terminal import stdout_console
from fashiontui.narration import download_bar, notice
from fashiontui.pool import pinned
from fashiontui.store import Store


def print_dry_run(
    specs: Sequence[RunSpec],
    data: DataChoice,
    data_folders: list[Path],
    store: str,
    workers: int,
    on_ray: OnRay | None,
    as_json: bool,
) -> None:
    """Print the runs that the store has not finished, and an estimate from measured speed.

    Args:
        specs: The plan.
        data: Which data set it trains on.
        data_folders: Where to look for it; a download goes to the first.
        store: URL or path of the store.
        workers: How many runs would train beside each other here.
        on_ray: The cluster that would train instead; its speed is taken to be this machine's.
        as_json: One document instead of a table.

    Raises:
        FashiontuiError: data, device, store or cluster are not to be had.
    """
    console = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        cluster = stack.enter_context(joined(on_ray, console)) if on_ray else None
        kept = stack.enter_context(closing(Store(store)))
        with download_bar(console) as arrived:
            images = load(data, data_folders, lambda text: notice(console, text), arrived)
        specs = [structs.replace(spec, dataset=images.name) for spec in specs]
        finished, jobs = left_to_do(specs, kept, continuable=cluster is None)
        at_once = max(1, cluster.room(specs[0].threads or 1)) if cluster else workers
    left = [job.spec if isinstance(job, RunRecord) else job for job in jobs]
    with console.status("Measuring speed"):
        placed = [pinned(spec, at_once) for spec in left] if at_once > 1 else left
        seconds = seconds_of([spec for spec in placed if isinstance(spec, RunSpec)], images)
    share = sum(seconds) / min(at_once, max(1, len(left)))
    estimate = max([share, *seconds])
    if as_json:
        runs = [
            {"spec": to_builtins(spec), "seconds": expected}
            for spec, expected in zip(left, seconds, strict=True)
        ]
        figures = {"finished": len(finished), "at_once": at_once, "estimate_seconds": estimate}
        print(json.dumps({"schema": SCHEMA, **figures, "runs": runs}, indent=2))
        return
    _print_table(left, seconds)
    stdout_console().print(
        Text(
            f"{len(finished)} of {len(specs)} runs are finished; the other {len(left)}, "
            f"{at_once} at once, take about {clock(estimate)}, as measured here for each alone."
        ),
        soft_wrap=True,
    )


def _print_table(specs: Sequence[RunSpec], seconds: Sequence[float]) -> None:
    """One line for runs that differ in their seeds alone."""
    alike: dict[RunSpec, list[int]] = {}
    for number, spec in enumerate(specs):
        alike.setdefault(structs.replace(spec, seed=0), []).append(number)
    table = Table(box=None, pad_edge=False)
    for column in ("Model", "Weights", "Recipe", "Settings", "Seeds", "Runs", "Each"):
        right = column in ("Weights", "Runs", "Each")
        table.add_column(column, justify="right" if right else "left")
    varied = _varied(specs)
    for spec, numbers in alike.items():
        names = varied[spec.title, spec.recipe_title]
        settings = ", ".join(f"{name} {getattr(spec.settings, name)}" for name in names)
        seeds = ", ".join(str(specs[number].seed) for number in numbers)
        cells = (spec.title, f"{spec.weights:,}", spec.recipe_title, settings, seeds)
        counts = (str(len(numbers)), clock(seconds[numbers[0]]))
        table.add_row(*(Text(cell) for cell in (*cells, *counts)))
    if specs:
        stdout_console().print(table)


def _varied(specs: Sequence[RunSpec]) -> dict[tuple[str, str], list[str]]:
    """By network and recipe, the settings in which its runs differ."""
    alike: dict[tuple[str, str], list[RunSpec]] = {}
    for spec in specs:
        alike.setdefault((spec.title, spec.recipe_title), []).append(spec)
    return {
        of: [
            name
            for name in Settings.__struct_fields__
            if len({getattr(run.settings, name) for run in runs}) > 1
        ]
        for of, runs in alike.items()
    }
