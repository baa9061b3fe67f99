"""What options of several commands mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from fashiontui.domain.errors import UsageError

if TYPE_CHECKING:
    from fashiontui.batch import Output

MACHINE = "Where and how"
OUTPUT = "What stdout gets (default: tables)"
FORMATS = ("json", "jsonl", "csv", "markdown", "latex")
"""Of stdout, beside tables."""
MAX_JOBS = 256
"""Most processes of one command."""

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of Fashion-MNIST (also FASHIONTUI_DATA_DIR).", rich_help_panel=MACHINE
    ),
]
DeviceOption = Annotated[
    str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.", rich_help_panel=MACHINE)
]
ThreadsOption = Annotated[
    str, typer.Option(help="CPU threads: auto or a number.", rich_help_panel=MACHINE)
]
PrecisionOption = Annotated[str, typer.Option(help="auto, fp32 or bf16.", rich_help_panel=MACHINE)]
KernelsOption = Annotated[
    str,
    typer.Option(
        help="What computes convolutions in fp32 on CPUs: auto, torch or rows.",
        rich_help_panel=MACHINE,
    ),
]
DataOption = Annotated[
    str,
    typer.Option(
        help="fashion-mnist, sample (embedded), or auto: the first, failing that the second.",
        rich_help_panel=MACHINE,
    ),
]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        help="Runs that train beside each other, each in a process of its own; without --threads "
        "they share the cores.",
        rich_help_panel=MACHINE,
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        help="SQLite file or SQLAlchemy URL where runs are kept.",
        envvar="FASHIONTUI_STORE",
        rich_help_panel=MACHINE,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document.", rich_help_panel=OUTPUT)
]
JsonlOption = Annotated[
    bool, typer.Option("--jsonl", help="One event a line, as it happens.", rich_help_panel=OUTPUT)
]
CsvOption = Annotated[bool, typer.Option("--csv", help="One run a line.", rich_help_panel=OUTPUT)]
MarkdownOption = Annotated[
    bool, typer.Option("--markdown", help="Markdown tables.", rich_help_panel=OUTPUT)
]
LatexOption = Annotated[
    bool,
    typer.Option("--latex", help="LaTeX tables (booktabs, graphicx).", rich_help_panel=OUTPUT),
]


def chosen_format(*wanted: bool) -> "Output":
    """What stdout gets, from the options in the order of ``FORMATS``.

    Raises:
        UsageError: there are several.
    """
    chosen = [name for name, asked in zip(FORMATS, wanted, strict=True) if asked]
    if len(chosen) > 1:
        raise UsageError(f"Choose one of {' and '.join(f'--{name}' for name in chosen)}.")
    return cast("Output", chosen[0]) if chosen else "tables"


def parse_threads(text: str) -> int | None:
    """CPU threads as typed; None for auto.

    Raises:
        UsageError: it is neither auto nor a number of threads.
    """
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= 1024):
        raise UsageError(f"--threads takes auto or a number from 1 to 1024, not {text!r}.")
    return int(text)


def placed(device: str, precision: str, threads: str, kernels: str) -> dict[str, Any]:
    """Where and how runs train, as the options say it.

    Raises:
        UsageError: one of them cannot be used.
    """
    return {
        "device": device,
        "precision": one_of("--precision", precision, ("auto", "fp32", "bf16")),
        "threads": parse_threads(threads),
        "kernels": one_of("--kernels", kernels, ("auto", "torch", "rows")),
    }


def parse_jobs(count: int) -> int:
    """How many runs train beside each other.

    Raises:
        UsageError: out of range.
    """
    if not 1 <= count <= MAX_JOBS:
        raise UsageError(f"--jobs takes 1 to {MAX_JOBS}, not {count}.")
    return count


def one_of(option: str, value: str, choices: tuple[str, ...]) -> Any:
    """The value of an option that takes one of these.

    Raises:
        UsageError: it is another.
    """
    if value not in choices:
        raise UsageError(f"{option} takes {', '.join(choices)}, not {value!r}.")
    return value


def typed_beside(context: typer.Context, fine: set[str]) -> list[str]:
    """Options of the command line that are not among these."""
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in fine
        and (source := context.get_parameter_source(parameter.name or "")) is not None
        and source.name == "COMMANDLINE"
    ]
