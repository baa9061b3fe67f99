"""The command line. Nothing heavy is imported before it is known that it will be needed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashiontui import __version__
from fashiontui.cli_export import export_app, report
from fashiontui.cli_options import (
    FORMATS,
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
    typed_beside,
)
from fashiontui.cli_predict import predict
from fashiontui.cli_replay import replay
from fashiontui.cli_runs import open_store, runs_app
from fashiontui.cli_serve import serve
from fashiontui.cli_sweep import sweep
from fashiontui.cli_tune import tune
from fashiontui.domain.errors import UsageError
from fashiontui.domain.shapes import FAMILIES, family_named

if TYPE_CHECKING:
    from fashiontui.domain.plan import Network
    from fashiontui.domain.shapes import Family, Shape
    from fashiontui.domain.spec import RunSpec

app = typer.Typer(
    help="An accuracy-per-weight lab: small networks on Fashion-MNIST under weight budgets.",
    no_args_is_help=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(runs_app, name="runs")
app.command()(sweep)
app.add_typer(export_app, name="export")
app.command("report")(report)
app.command("replay")(replay)
app.command("predict")(predict)
app.command("serve")(serve)
app.command()(tune)

_NETWORK = "Which networks"
_TRAINING = "Training, over the recipe"


_ARCHES = f"A family, with --budget or --channels: {', '.join(FAMILIES)}."


def _setting(text: str) -> Any:
    return typer.Option(help=text, rich_help_panel=_TRAINING)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    batch: Annotated[bool, typer.Option("--batch", help="Train without the app.")] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="One of the report's models, such as fcn-100k; may be repeated. "
            "Default: all seven.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(help=_ARCHES, rich_help_panel=_NETWORK),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Most weights, like 37k.", rich_help_panel=_NETWORK),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(help="Hidden widths of an FCN, like 112,106.", rich_help_panel=_NETWORK),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            help="Channels of a CNN, like 40,64, or of the --arch given, like 16,32,64.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            help="report, fast, best, one of yours, or a .toml file; may be repeated. "
            "Default: fast.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    epochs: Annotated[int | None, _setting("Passes over the training images.")] = None,
    batch_size: Annotated[int | None, _setting("Images per step.")] = None,
    lr: Annotated[float | None, _setting("Learning rate, or its peak.")] = None,
    optimizer: Annotated[str | None, _setting("sgd, adam, adamw or muon.")] = None,
    schedule: Annotated[str | None, _setting("constant, cosine or one-cycle.")] = None,
    dropout: Annotated[float | None, _setting("Share dropped before the output layer.")] = None,
    init: Annotated[str | None, _setting("kaiming, xavier or normal.")] = None,
    activation: Annotated[str | None, _setting("relu or tanh.")] = None,
    weight_decay: Annotated[float | None, _setting("Decay of matrices and kernels.")] = None,
    label_smoothing: Annotated[float | None, _setting("Share of a label spread evenly.")] = None,
    augment: Annotated[str | None, _setting("none, flip, shift or flip-shift.")] = None,
    erase: Annotated[int | None, _setting("Side of the square hidden in each image.")] = None,
    mixup: Annotated[float | None, _setting("Most of another image blended into each.")] = None,
    ema: Annotated[float | None, _setting("Decay of the average of the weights.")] = None,
    teacher: Annotated[
        list[str] | None,
        _setting("Id of a finished run whose answers are learnt, not the labels; may be repeated."),
    ] = None,
    seed: Annotated[int | None, _setting("One seed (default 0).")] = None,
    seeds: Annotated[
        str | None, _setting("Several seeds: 5 for 0 to 4, a range 2-4 or a list 3,7.")
    ] = None,
    until_separated: Annotated[
        bool,
        typer.Option(
            "--until-separated",
            help="Two networks or recipes: stop adding seeds once validation tells them apart.",
            rich_help_panel=_TRAINING,
        ),
    ] = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = "auto",
    precision: PrecisionOption = "auto",
    kernels: KernelsOption = "auto",
    data: DataOption = "auto",
    data_dir: DataDirOption = None,
    store: StoreOption = None,
    jobs: JobsOption = 1,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue stopped and interrupted runs; trains no others."),
    ] = False,
    json_: JsonOption = False,
    jsonl: JsonlOption = False,
    csv: CsvOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Train small networks on Fashion-MNIST and compare what their weights buy."""
    if version:
        print(f"fashiontui {__version__}")
        return
    if context.invoked_subcommand is not None:
        return
    data_choice = one_of("--data", data, ("auto", "fashion-mnist", "sample"))
    from fashiontui.paths import data_folders, default_store, recipe_folder

    if not batch:
        _open_app(context, store, data_choice, data_folders(data_dir), device)
        return

    from fashiontui.domain.plan import plan
    from fashiontui.domain.recipe import load_recipe

    output = chosen_format(json_, jsonl, csv, markdown, latex)
    overrides: dict[str, object] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "optimizer": optimizer,
        "schedule": schedule,
        "dropout": dropout,
        "init": init,
        "activation": activation,
        "weight_decay": weight_decay,
        "label_smoothing": label_smoothing,
        "augment": augment,
        "erase": erase,
        "mixup": mixup,
        "ema": ema,
    }
    if resume:
        _refuse_training_options(context)
    if teacher:
        overrides["teacher"] = _teacher_name(teacher, store)
    specs = (
        None
        if resume
        else [
            spec
            for name in dict.fromkeys(recipe or ["fast"])
            for spec in plan(
                _networks(model or [], arch, budget, hidden, channels),
                load_recipe(name, recipe_folder()),
                {option: value for option, value in overrides.items() if value is not None},
                _seeds(seed, seeds),
                **placed(device, precision, threads, kernels),
            )
        ]
    )
    if until_separated:
        _check_two(specs or [])
    from fashiontui.batch import run_batch

    code = run_batch(
        specs,
        data=data_choice,
        data_folders=data_folders(data_dir),
        store=store or default_store(),
        output=output,
        workers=parse_jobs(jobs),
        until_separated=until_separated,
    )
    raise typer.Exit(code)


@app.command()
def models(
    arch: Annotated[str | None, typer.Option(help=_ARCHES)] = None,
    budget: Annotated[str | None, typer.Option(help="Most weights, like 37k.")] = None,
    json_: JsonOption = False,
) -> None:
    """Show the report's models, or every shape the solver finds for a budget."""
    from fashiontui.domain.budget import parse_budget, solve
    from fashiontui.domain.report import REPORT_MODELS

    networks: list[tuple[str | None, Family, Shape, int | None]] = [
        (m.name, family_named(m.arch), m.shape, m.budget) for m in REPORT_MODELS.values()
    ]
    if budget is not None:
        weights = parse_budget(budget)
        families = [family_named(arch)] if arch else list(FAMILIES.values())
        networks = [(None, f, shape, weights) for f in families for shape in solve(f, weights)]
    elif arch is not None:
        networks = [network for network in networks if network[1] is family_named(arch)]
    if json_:
        from fashiontui.export.documents import models_document

        print(json.dumps(models_document(networks), indent=2))
    else:
        from fashiontui.export.terminal import print_models

        print_models(networks)


_FOR_RESUMING = {"batch", "resume", "store", "data", "data_dir", "jobs", *FORMATS, "json_"}
"""Options beside ``--resume``: a continued run keeps its network, settings and device."""
_FOR_THE_APP = {"batch", "store", "data", "data_dir", "device", "version"}
"""Options the app takes too; all others only make sense with ``--batch``."""


def _open_app(
    context: typer.Context, store: str | None, data: Any, folders: list[Path], device: str
) -> None:
    """Run the interactive app."""
    if typed := typed_beside(context, _FOR_THE_APP):
        raise UsageError(f"{typed[0]} needs --batch; in the app, panel 1 has it.")
    from fashiontui.paths import default_store
    from fashiontui.tui import run_app

    where = store or default_store()
    raise typer.Exit(run_app(where, data, folders, None if device == "auto" else device))


def _check_two(specs: "list[RunSpec]") -> None:
    """Refuse ``--until-separated`` where it is not about two, or too few seeds tell anything."""
    from fashiontui.domain.ranking import LEAST_SEEDS

    seeds = {spec.seed for spec in specs}
    if len(specs) != 2 * len(seeds):
        raise UsageError(
            "--until-separated compares two: name two networks, or one network and two recipes."
        )
    if len(seeds) < LEAST_SEEDS:
        raise UsageError(
            f"--until-separated needs --seeds N, {LEAST_SEEDS} or more: how many it takes at most."
        )


def _teacher_name(run_ids: list[str], store: str | None) -> str:
    from fashiontui.store.teachers import teacher_name

    with open_store(store) as opened:
        return teacher_name(opened, run_ids)


def _refuse_training_options(context: typer.Context) -> None:
    if typed := typed_beside(context, _FOR_RESUMING):
        raise UsageError(
            f"--resume continues runs with the settings they have; leave out {typed[0]}."
        )


def _networks(
    names: list[str],
    arch: str | None,
    budget: str | None,
    hidden: str | None,
    channels: str | None,
) -> "list[Network]":
    """The networks the options of the first panel name."""
    from fashiontui.domain.budget import parse_budget
    from fashiontui.domain.plan import named_network, parse_shape, shaped_network, solved_network

    networks = [named_network(name) for name in names]
    weights = parse_budget(budget) if budget is not None else None
    shapes = [
        (arch or usual, word, text)
        for usual, word, text in (("fcn", "hidden widths", hidden), ("cnn", "channels", channels))
        if text is not None
    ]
    for of, word, _ in shapes:
        if family_named(of).shape_word != word:
            by_channels = [f.name for f in FAMILIES.values() if f.shape_word == "channels"]
            raise UsageError(
                f"--hidden is for --arch fcn, --channels for --arch {' or '.join(by_channels)}."
            )
    networks += [shaped_network(of, parse_shape(text), weights) for of, _, text in shapes]
    if not shapes and arch is not None:
        if weights is None:
            raise UsageError(f"Give --arch {arch} a --budget, or a shape by hand.")
        networks.append(solved_network(arch, weights))
    if not shapes and arch is None and weights is not None:
        raise UsageError(f"Give --budget an --arch: {' or '.join(FAMILIES)}.")
    return networks


def _seeds(seed: int | None, seeds: str | None) -> tuple[int, ...]:
    if seed is not None and seeds is not None:
        raise UsageError("Choose one of --seed and --seeds.")
    if seeds is not None:
        from fashiontui.domain.plan import parse_seeds

        try:
            return parse_seeds(seeds)
        except UsageError as error:
            raise UsageError(str(error).replace("Seeds:", "--seeds:", 1)) from error
    if seed is not None and not 0 <= seed < 2**63:
        raise UsageError(f"--seed takes 0 to 2^63-1, not {seed}.")
    return (seed or 0,)
