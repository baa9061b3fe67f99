"""``fashiontui replay``: a stored run through the live screen."""

import sys
from contextlib import closing
from typing import Annotated

import typer

from fashiontui.cli_options import StoreOption
from fashiontui.domain.errors import UsageError


def replay(
    run_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    speed: Annotated[
        float | None,
        typer.Option(help="Times as fast as it trained, like 10 (default: it lasts some 20 s)."),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Play a stored run again in the terminal, for demonstrations and lessons; trains nothing."""
    from fashiontui.domain.replay import FASTEST, SLOWEST, replay_of

    if speed is not None and not SLOWEST <= speed <= FASTEST:
        raise UsageError(f"--speed takes {SLOWEST:g} to {FASTEST:g}, not {speed:g}.")
    from fashiontui.paths import default_store
    from fashiontui.store import Store

    with closing(Store(store or default_store())) as opened:
        played = replay_of(opened.get(run_id))
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "A replay needs a terminal; without one, read the run with: fashiontui runs show"
        )
    from fashiontui.tui import run_replay

    raise typer.Exit(run_replay(played, speed))
