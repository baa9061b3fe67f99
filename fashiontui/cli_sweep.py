"""``fashiontui sweep``: every run of a plan, here or on a cluster, none of them twice."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from fashiontui.cli_options import (
    MACHINE,
    JobsOption,
    one_of,
    parse_jobs,
    parse_threads,
)
from fashiontui.cli_runs import OUTPUT, JsonOption, StoreOption
from fashiontui.domain.errors import UsageError

if TYPE_CHECKING:
    from fashiontui.batch import OnRay, Output
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
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.", rich_help_panel=MACHINE)
    ] = "auto",
    threads: Annotated[
        str, typer.Option(help="CPU threads: auto or a number.", rich_help_panel=MACHINE)
    ] = "auto",
    precision: Annotated[
        str, typer.Option(help="auto, fp32 or bf16.", rich_help_panel=MACHINE)
    ] = "auto",
    data: Annotated[
        str, typer.Option(help="fashion-mnist, sample or auto.", rich_help_panel=MACHINE)
    ] = "auto",
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of Fashion-MNIST.", rich_help_panel=MACHINE)
    ] = None,
    store: StoreOption = None,
    json_: JsonOption = False,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="One event a line, as it happens.", rich_help_panel=OUTPUT),
    ] = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="One run a line.", rich_help_panel=OUTPUT)
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Markdown tables.", rich_help_panel=OUTPUT)
    ] = False,
    latex: Annotated[
        bool,
        typer.Option("--latex", help="LaTeX tables (booktabs, graphicx).", rich_help_panel=OUTPUT),
    ] = False,
) -> None:
    """Train every run of a plan that the store has not finished; stopped, the same command goes on.

    A plan is a TOML file of [[grid]] tables: models, or archs with budgets or shapes, and recipes,
    seeds and settings. Every combination of their lists is a run.
    """
    formats = {"json": json_, "jsonl": jsonl, "csv": csv, "markdown": markdown, "latex": latex}
    chosen = [name for name, wanted in formats.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"Choose one of {' and '.join(f'--{name}' for name in chosen)}.")
    if dry_run and chosen not in ([], ["json"]):
        raise UsageError(f"--dry-run prints a table, or --json; leave out --{chosen[0]}.")
    on_ray = _on_ray(one_of("--engine", engine, ("local", "ray")), address, gpus, jobs)
    specs = _specs(
        plan,
        device=device,
        precision=one_of("--precision", precision, ("auto", "fp32", "bf16")),
        threads=parse_threads(threads),
    )
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
        output=cast("Output", chosen[0]) if chosen else "tables",
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
