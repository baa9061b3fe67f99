"""Where the program begins and ends: one command, its errors as sentences, its exit code."""

import errno
import gc
import os
import sys
from typing import Any, NoReturn

from fashiontui.domain.errors import ExitCode, FashiontuiError
from fashiontui.domain.text import printable
from fashiontui.streams import StdoutError, prepare


def main() -> NoReturn:
    """Run a command and leave with the exit code of the table in the README.

    It leaves without Python's own farewell, which takes over a second once torch is loaded; files
    and databases are closed by then.
    """
    prepare()
    code = run(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run one command; every error a user can mend is one sentence on stderr."""
    try:
        code = _parsed(arguments) if arguments else _app()
        sys.stdout.flush()
        return int(code or ExitCode.DONE)
    except FashiontuiError as error:
        print(f"fashiontui: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("fashiontui: interrupted; what was finished is kept.", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except StdoutError as error:
        if not str(error):  # whoever read it has read enough, as `| head` does
            return ExitCode.DONE
        print(
            f"fashiontui: Cannot write to stdout: {error}; what was trained is kept, see: "
            "fashiontui runs",
            file=sys.stderr,
        )
        return ExitCode.RUN_FAILED
    except OSError as error:
        if error.errno == errno.EIO:  # the terminal is gone; what was trained is kept
            return ExitCode.HUNG_UP
        raise


def _app() -> int:
    """The app as it is without options, which need no parser: that would delay its first paint."""
    gc.disable()  # nothing made while starting is garbage; the app switches it on once it painted
    from fashiontui.paths import data_folders, default_store
    from fashiontui.tui import run_app

    return run_app(default_store(), "auto", data_folders(None), None)


def _parsed(arguments: list[str]) -> Any:
    """What the command line asks for."""
    import typer

    from fashiontui.cli import app

    # Newer typers carry a click of their own, older ones use the installed one, so the class of a
    # wrong option or value is taken from what typer itself exports: BadParameter, UsageError, this.
    wrong: Any = typer.BadParameter.__mro__[2]
    try:
        return app(arguments, prog_name="fashiontui", standalone_mode=False)
    except wrong as error:
        said = printable(error.format_message().rstrip("."))
        print(f"fashiontui: {said}. See: fashiontui --help", file=sys.stderr)
        return ExitCode.USAGE
    except typer.Abort as error:
        raise KeyboardInterrupt from error
