"""The runs that wait for their turn, and the keys that change their order."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from fashiontui.tui.queue import Job
from fashiontui.tui.widgets.fields import COMPACT, compact


class QueueList(OptionList):
    """Waiting jobs, the next one first."""

    compact = compact()
    BINDINGS = [
        Binding("x,delete", "change('remove')", "Remove", id="queue.remove", key_display="x",
                tooltip="Take this run out of the queue"),
        Binding("K,shift+up", "change('earlier')", "Earlier", id="queue.earlier", key_display="K",
                tooltip="Train this run earlier"),
        Binding("J,shift+down", "change('later')", "Later", id="queue.later", key_display="J",
                tooltip="Train this run later"),
    ]  # fmt: skip
    HELP = """\
Runs that wait for their turn. `K` and `J` move one earlier or later, `x` takes it out. `s` stops
the run under way and holds the queue, `n` ends it and begins the next, `g` lets a held queue go
on.
"""

    @dataclass
    class Changed(Message):
        """The user wants a waiting job moved or removed."""

        number: int
        change: str
        """remove, earlier or later."""

    def action_change(self, change: str) -> None:
        """Ask for the job under the cursor to be moved or removed."""
        if self.highlighted is not None:
            option = self.get_option_at_index(self.highlighted)
            self.post_message(self.Changed(int(option.id or 0), change))


class QueueView(Vertical):
    """The list, or what to do to fill it."""

    def __init__(self) -> None:
        super().__init__(id="queue", classes="-empty")

    def compose(self) -> ComposeResult:
        """The empty state, a line that sums up, and the list."""
        yield Static(
            "No run is waiting: t adds one for each seed, a adds all seven.", classes="empty"
        )
        yield Static(id="queue-foot")
        yield QueueList(compact=True, classes=COMPACT)

    def show(self, jobs: Sequence[Job], held: bool) -> None:
        """Draw the queue as it is now; the cursor stays on its job."""
        waiting = self.query_one(QueueList)
        at = waiting.highlighted
        kept = waiting.get_option_at_index(at).id if at is not None else None
        waiting.clear_options()
        for place, job in enumerate(jobs, start=1):
            spec = job.spec
            if job.study:
                line = f"{place:>3}  next trial of the study {job.study.name}"
            else:
                line = f"{place:>3}  {spec.title:<22} {spec.weights:>9,}  {spec.recipe_title:<8}"
                line += f" {spec.settings.epochs:>4} epochs  seed {spec.seed}  {spec.device}"
            waiting.add_option(Option(Text(line, no_wrap=True), id=str(job.number)))
        ids = [str(job.number) for job in jobs]
        if ids:
            waiting.highlighted = ids.index(kept) if kept in ids else min(at or 0, len(ids) - 1)
        self.set_class(not jobs, "-empty")
        state = "held: g lets it go on" if held else "the next begins when the present one ends"
        self.query_one("#queue-foot", Static).update(f"{len(jobs)} waiting · {state}")
