"""``fashiontui tune``: search a family's shapes and settings within a budget."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashiontui.cli_options import (
    DataDirOption,
    DataOption,
    DeviceOption,
    JsonOption,
    KernelsOption,
    PrecisionOption,
    StoreOption,
    ThreadsOption,
    one_of,
    placed,
    typed_beside,
)
from fashiontui.domain.errors import UsageError
from fashiontui.domain.shapes import FAMILIES

if TYPE_CHECKING:
    from fashiontui.domain.study import StudySpec

_WHAT = "What is searched"
_HOW = "How, and when it is over"
USUAL_TRIALS = 40
"""Trials of a study that is given no other end."""
_FOR_GOING_ON = {"study", "target", "trials", "time", "data", "data_dir", "store", "json_"}
"""Options beside ``--study`` alone: the study has all others."""


def tune(
    context: typer.Context,
    arch: Annotated[
        str | None,
        typer.Option(help=f"A family: {', '.join(FAMILIES)}.", rich_help_panel=_WHAT),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Most weights, like 100k.", rich_help_panel=_WHAT)
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="Search space, a .toml file (default: built in).", rich_help_panel=_WHAT),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(help="Settings that are not searched are as it has them.",
                     rich_help_panel=_WHAT),
    ] = "fast",
    against: Annotated[
        str | None,
        typer.Option(
            help="weights or time: to be kept low while accuracy is to be high; ends in a Pareto "
            "set.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            help="Test accuracy in percent; ends the search when validation promises it.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Trials of the study in all (default: {USUAL_TRIALS}, or no limit with --time).",
            rich_help_panel=_HOW,
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Longest search, like 10m.", rich_help_panel=_HOW)
    ] = None,
    sampler: Annotated[
        str, typer.Option(help="tpe, random or grid.", rich_help_panel=_HOW)
    ] = "tpe",
    pruner: Annotated[
        str,
        typer.Option(
            help="hyperband, which ends trials that others outdo, or none.", rich_help_panel=_HOW
        ),
    ] = "hyperband",
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=2**63 - 1, help="Of the search and of every run.", rich_help_panel=_HOW
        ),
    ] = 0,
    study: Annotated[
        str | None,
        typer.Option(
            help="Its name (default: after family and budget); an existing one goes on.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = "auto",
    precision: PrecisionOption = "auto",
    kernels: KernelsOption = "auto",
    data: DataOption = "auto",
    data_dir: DataDirOption = None,
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Search the shapes and settings of a family within a budget, by Optuna.

    Each trial is a stored run, judged on validation. The test set is scored once, for the trial
    that is chosen at the end. The same command goes on with a study that was interrupted; several
    processes may feed one.
    """
    from fashiontui.domain.plan import parse_duration
    from fashiontui.paths import data_folders, default_store

    data_choice = one_of("--data", data, ("auto", "fashion-mnist", "sample"))
    if target is not None and not 0 < target < 100:
        raise UsageError(f"--target takes a percentage between 0 and 100, not {target:g}.")
    spec = None
    if arch is not None or budget is not None or study is None:
        where = placed(device, precision, threads, kernels)
        how = {
            "against": against and one_of("--against", against, ("weights", "time")),
            "sampler": one_of("--sampler", sampler, ("tpe", "random", "grid")),
            "pruner": one_of("--pruner", pruner, ("hyperband", "none")),
            "seed": _seed(seed),
        }
        spec = _planned(arch, budget, space, recipe, {**how, **where})
    elif typed := typed_beside(context, _FOR_GOING_ON):
        raise UsageError(
            f"{typed[0]} is for a new study: give --arch and --budget, or leave it out to go on "
            f"with {study!r}."
        )
    seconds = parse_duration(time) if time is not None else None
    from fashiontui.batch_tune import run_study

    code = run_study(
        spec,
        study,
        trials=trials if trials or time else USUAL_TRIALS,
        target=target,
        seconds=seconds,
        data=data_choice,
        folders=data_folders(data_dir),
        store=store or default_store(),
        as_json=json_,
    )
    raise typer.Exit(code)


def _planned(
    arch: str | None, budget: str | None, space: Path | None, recipe: str, how: dict[str, object]
) -> "StudySpec":
    from fashiontui.domain.budget import parse_budget
    from fashiontui.domain.recipe import load_recipe
    from fashiontui.domain.space import load_space
    from fashiontui.domain.study import plan_study
    from fashiontui.paths import recipe_folder

    if arch is None or budget is None:
        raise UsageError("Give tune an --arch and a --budget, or the --study to go on with.")
    return plan_study(
        arch,
        parse_budget(budget),
        load_space(space),
        load_recipe(recipe, recipe_folder()),
        **how,
    )


def _seed(seed: int) -> int:
    if seed >= 2**63:
        raise UsageError(f"--seed takes 0 to 2^63-1, not {seed}.")
    return seed
