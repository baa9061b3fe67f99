"""What options of several commands mean."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fashiontui.domain.errors import UsageError

MACHINE = "Where and how"
MAX_JOBS = 256
"""Most processes of one command."""

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of Fashion-MNIST (also FASHIONTUI_DATA_DIR).", rich_help_panel=MACHINE
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
