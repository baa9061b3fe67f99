"""The interactive app, over Textual."""

import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from fashiontui import paths
from fashiontui.config import Config, load_config
from fashiontui.domain.errors import UsageError
from fashiontui.domain.spec import DataChoice
from fashiontui.signals import minded

if TYPE_CHECKING:
    from fashiontui.domain.replay import Replay
    from fashiontui.tui.app import FashionTui
    from fashiontui.tui.choice import Choice


def run_app(store: str, data: DataChoice, data_folders: list[Path], device: str | None) -> int:
    """Run the app until the user quits or a signal ends it.

    Args:
        store: URL or path of the store.
        data: Which data set.
        data_folders: Where Fashion-MNIST may lie; a download goes to the first.
        device: Device picked at first; the one picked last when None.

    Returns:
        The exit code: 0 when the user quit, 128 and its number after a signal.

    Raises:
        UsageError: there is no terminal, or it cannot show it.
    """
    in_browser = "TEXTUAL_DRIVER" in os.environ  # as fashiontui serve starts it
    if not (in_browser or all(s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr))):
        raise UsageError("The app needs a terminal; without one, run: fashiontui --batch")
    gc.disable()  # nothing made while starting is garbage; the app switches it on once it painted
    from fashiontui.tui.app import FashionTui
    from fashiontui.tui.terminal import check_terminal, terminal_glyphs

    check_terminal()
    choice, config, notices = _settings()
    if choice.data_folder:
        data_folders = [*data_folders, Path(choice.data_folder)]
    if device is not None:
        choice = structs.replace(choice, device=device)
    glyphs = terminal_glyphs()
    app = FashionTui(store, data, data_folders, choice, config, notices, glyphs)
    asyncio.run(_run(app))
    return app.return_code or 0


def run_replay(replay: "Replay", speed: float | None) -> int:
    """Play a stored run until the user quits or a signal ends it; return the exit code.

    Args:
        replay: What is played.
        speed: Times as fast as it was; the usual one when None.

    Raises:
        UsageError: the terminal cannot show it.
    """
    from fashiontui.tui.replay_app import ReplayApp
    from fashiontui.tui.terminal import check_terminal, terminal_glyphs

    check_terminal()
    app = ReplayApp(replay, speed, *_settings(), terminal_glyphs())
    asyncio.run(_run(app))
    return app.return_code or 0


def _settings() -> "tuple[Choice, Config, tuple[str, ...]]":
    """What was chosen the last time, the user's settings, and what is wrong with either."""
    from fashiontui.tui.choice import load_choice

    choice, notice = load_choice(paths.last_choice_file())
    notices = (notice,) if notice else ()
    try:
        return choice, load_config(paths.config_file()), notices
    except UsageError as error:
        return choice, Config(), (*notices, f"{error} The settings in it are not used.")


async def _run(app: "FashionTui") -> None:
    loop = asyncio.get_running_loop()
    for number in minded():
        loop.add_signal_handler(number, app.leave_by_signal, number)
    await app.run_async()
    if app.last_words:
        print(f"fashiontui: {app.last_words}", file=sys.stderr)
    if app.left_behind:
        # asyncio would join the threads, which may wait for a locked store for half a minute.
        sys.stderr.flush()
        os._exit(app.return_code or 0)
