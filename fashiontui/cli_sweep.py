"""``fashiontui sweep``: every run of a plan, here or on a cluster, none of them twice."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashiontui.cli_options import (
    CsvOption,
    DataDirOption,
    DataOption,
    DeviceOption,
    JobsOption,
    JsonlOption,
    JsonOption,
    KernelsOption,
    LatexOption,
    MarkdownOption,
    PrecisionOption,
    StoreOption,
    ThreadsOption,
    chosen_format,
    one_of,
    parse_jobs,
    placed,
)
from fashiontui.domain.errors import UsageError

if TYPE_CHECKING:
    from fashiontui.batch import OnRay
    from fashiontui.domain.spec import RunSpec

_CLUSTER = "On a cluster"


def sweep(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.toml", help="The grids to train.")],
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print the runs and how long they will take; train none."),
    ] = False,
    jobs: JobsOption = 1,
    engine: Annotated[
        str,
        typer.Option(help="local, or ray for a Ray cluster.", rich_help_panel=_CLUSTER),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            help="The cluster: auto, HOST:PORT or ray://HOST:PORT.",
            envvar="RAY_ADDRESS",
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    gpus: Annotated[
        float,
        typer.Option(
            help="Share of a GPU for each run there, such as 0.25; 0 trains on CPUs.",
            rich_help_panel=_CLUSTER,
        ),
    ] = 0.0,
    device: DeviceOption = "auto",
    threads: ThreadsOption = "auto",
    precision: PrecisionOption = "auto",
    kernels: KernelsOption = "auto",
    data: DataOption = "auto",
    data_dir: DataDirOption = None,
    store: StoreOption = None,
    json_: JsonOption = False,
    jsonl: JsonlOption = False,
    csv: CsvOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Train every run of a plan that the store has not finished; stopped, the same command goes on.

    A plan is a TOML file of [[grid]] tables: models, or archs with budgets or shapes, and recipes,
    seeds and settings. Every combination of their lists is a run.
    """
    output = chosen_format(json_, jsonl, csv, markdown, latex)
    if dry_run and output not in ("tables", "json"):
        raise UsageError(f"--dry-run prints a table, or --json; leave out --{output}.")
    on_ray = _on_ray(one_of("--engine", engine, ("local", "ray")), address, gpus, jobs)
    specs = _specs(plan, **placed(device, precision, threads, kernels))
    data_choice = one_of("--data", data, ("auto", "fashion-mnist", "sample"))
    from fashiontui.paths import data_folders, default_store

    folders, workers = data_folders(data_dir), parse_jobs(jobs)
    where = store or default_store()
    if dry_run:
        from fashiontui.dry_run import print_dry_run

        print_dry_run(specs, data_choice, folders, where, workers, on_ray, json_)
        return
    from fashiontui.batch import run_batch

    code = run_batch(
        specs,
        data=data_choice,
        data_folders=folders,
        store=where,
        output=output,
        workers=workers,
        once=True,
        on_ray=on_ray,
    )
    raise typer.Exit(code)


def _on_ray(engine: str, address: str | None, gpus: float, jobs: int) -> "OnRay | None":
    if engine == "local":
        if gpus:
            raise UsageError("--gpus needs --engine ray.")
        return None
    if address is None:
        raise UsageError(
            "--engine ray needs the cluster's --address: auto on one of its machines, or HOST:PORT."
        )
    if jobs != 1:
        raise UsageError("Ray decides how many runs train at once; leave out --jobs.")
    if not (0 <= gpus <= 1 or (gpus <= 64 and gpus == int(gpus))):
        raise UsageError(f"--gpus takes a share from 0 to 1, or a whole number, not {gpus}.")
    from fashiontui.batch import OnRay

    return OnRay(address, gpus)


def _specs(plan: Path, **where: object) -> "list[RunSpec]":
    from fashiontui.domain.files import read_text
    from fashiontui.domain.recipe import load_recipe
    from fashiontui.domain.sweep import parse_sweep
    from fashiontui.paths import recipe_folder

    sweep = parse_sweep(read_text(plan, "the plan"), plan.name)
    recipes = {name: load_recipe(name, recipe_folder()) for name in sweep.recipe_names()}
    return sweep.specs(recipes, **where)
