"""What commands say on stderr while they work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from fashiontui.domain.text import printable


@contextmanager
def download_bar(console: Console) -> Iterator[Callable[[int, int], None]]:
    """What to tell bytes that have arrived: a live bar once there are some, on a terminal."""
    columns = (
        TextColumn("Fashion-MNIST"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bars:
        bar = bars.add_task("", total=None, visible=False)
        yield lambda done, total: bars.update(bar, completed=done, total=total, visible=True)


def notice(console: Console, text: str) -> None:
    """A sentence on stderr, as it is; escape codes in it are shown."""
    console.print(Text(f"fashiontui: {printable(text)}"), soft_wrap=True)
