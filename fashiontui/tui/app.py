"""The interactive app: a table of contents of screens, threads and keys."""

import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Timer
from typing import Any

from msgspec import structs
from textual import on, work
from textual.app import App
from textual.binding import Binding
from textual.filter import LineFilter
from textual.messages import ExitApp
from textual.screen import Screen
from textual.widget import AwaitMount

from fashiontui import paths
from fashiontui.config import Config, check_keymap
from fashiontui.domain.errors import ExitCode, UsageError
from fashiontui.domain.spec import DataChoice, DatasetName
from fashiontui.domain.text import printable
from fashiontui.signals import PATIENCE_SECONDS, leave_at_once
from fashiontui.tui.choice import Choice, save_choice
from fashiontui.tui.commands import Actions
from fashiontui.tui.keys import keymap_complaints
from fashiontui.tui.library import Library
from fashiontui.tui.messages import DataFound, DataMissing, Failed
from fashiontui.tui.queue import Job, RunQueue
from fashiontui.tui.screens.confirm import Confirm
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.terminal import Glyphs, Nearest, hung_up, usable_marker
from fashiontui.tui.themes import OURS, SERIES

HERE = Path(__file__).parent
THREADS = ("training", "store")
"""Groups of workers that write to the store."""
SOON_SECONDS = 1.0
"""How long quitting waits before it says what for."""
LATEST_SECONDS = 5.0
"""How long it waits at most: a store may be locked for half a minute."""
SWITCH_SECONDS = 1e-4
"""How long the training thread waits before it takes the interpreter from the screen: it asks for
it again after every operation of torch, dozens of times a step, and by default for 5 ms each. With
so little drawn as now, no difference can be told between a microsecond and that."""
YOUNG_OBJECTS = 10_000
"""How many objects are made before the collector looks through them: a board of 10,000 runs makes a
hundred thousand, and Python's 700 have it look a hundred times."""
SIGNAL_SECONDS = 1.4
"""How long it waits after a signal: whoever sent it may kill for good two seconds later."""


class FashionTui(App[None]):
    """Pick a network, watch it learn, compare it with the others."""

    TITLE = "fashiontui"
    CSS_PATH = [HERE / "app.tcss", HERE / "screens" / "lab.tcss"]  # a default screen's is not read
    COMMANDS = App.COMMANDS | {Actions}
    BINDINGS = [
        Binding("question_mark", "help", "Help", id="app.help", key_display="?",
                tooltip="What this is, and the keys that work here"),
        Binding("q", "leave", "Quit", id="app.quit", tooltip="Quit; asks while a run trains"),
        Binding("ctrl+q", "leave", "Quit", id="app.quit_always", show=False, priority=True,
                tooltip="Quit from anywhere; asks while a run trains"),
        Binding("ctrl+c", "interrupt", "Interrupt", id="app.interrupt", show=False, priority=True,
                tooltip="Ask whether to stop the run"),
        Binding("d", "choose_data", "Data", id="app.data", show=False,
                tooltip="Choose the images to learn from"),
        Binding("f9", "next_theme", "Theme", id="app.theme", show=False,
                tooltip="Dark, light, colour-blind-safe"),
    ]  # fmt: skip

    def __init__(
        self,
        store: str,
        data: DataChoice,
        data_folders: list[Path],
        choice: Choice,
        config: Config,
        notices: tuple[str, ...] = (),
        glyphs: Glyphs = Glyphs.ALL,
    ) -> None:
        """Args:
        store: URL or path of the store.
        data: Which data set was asked for.
        data_folders: Where Fashion-MNIST may lie; a download goes to the first.
        choice: What was chosen the last time.
        config: The user's settings.
        notices: Sentences to show at the start.
        glyphs: Which characters the terminal has.
        """
        super().__init__()
        self._data = data
        self._folders = data_folders
        self._download_to = data_folders[0]
        self._choice = choice
        self._config = config
        self._notices = list(notices)
        self._leaving = False
        self._switch_seconds = sys.getswitchinterval()
        self._thresholds = gc.get_threshold()
        self._exit_code = 0
        self.left_behind = False
        self.last_words = ""
        self._dress()
        self.queue = RunQueue()
        self.library = Library(store)
        self._nearest = Nearest(glyphs)
        self._marker = usable_marker(config.marker, glyphs, self.console.color_system)
        dataset: DatasetName = "sample" if data == "sample" else "fashion-mnist"
        self.lab = LabScreen(self.queue, self.library, choice, dataset, self._marker, data_folders)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of curves, which every theme has."""
        return SERIES

    def refresh_css(self, animate: bool = True) -> None:
        """Style everything anew; before there is anything, the theme's colours are all it takes."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and the one for terminals that lack some characters."""
        ours = [self._nearest] if self._nearest.enabled else []
        return [*super().get_line_filters(), *ours]

    def notify(self, message: str, **how: Any) -> None:
        """Show a notice as it is, markup included: it may quote names that strangers chose."""
        super().notify(printable(message), **{**how, "markup": False})

    def push_screen(self, screen: Any, *how: Any, **more: Any) -> Any:
        """Open a screen, unless the app leaves: it would be closed half made."""
        if self._leaving:
            return AwaitMount(self.screen, [])
        return super().push_screen(screen, *how, **more)

    def get_default_screen(self) -> Screen[None]:
        """The lab."""
        return self.lab

    def on_mount(self) -> None:
        """Dress, and start the threads behind the first paint."""
        self._set_keys()
        for notice in self._notices:
            self.notify(notice, severity="warning", timeout=15, markup=False)
        self.call_after_refresh(self._painted)

    def _dress(self) -> None:
        """Choose the theme before anything is styled: changing it later styles all anew."""
        for theme in OURS:
            self.register_theme(theme)
        wanted = self._config.theme or self._choice.theme or OURS[0].name
        if wanted not in self.available_themes:
            self._notices.append(f"There is no theme {wanted!r}; ctrl+p, theme lists them.")
            wanted = OURS[0].name
        self.theme = wanted

    def _set_keys(self) -> None:
        nodes = [self, *self.lab.walk_children(with_self=True)]
        bindings = [[binding for _, binding in node._bindings] for node in nodes]
        known = {binding.id for group in bindings for binding in group if binding.id}
        try:
            check_keymap(self._config, known)
        except UsageError as error:
            self._notices.append(str(error))
            return
        usable, complaints = keymap_complaints(self._config.keymap, bindings)
        self._notices += complaints
        self.set_keymap(usable)

    def _painted(self) -> None:
        """The first screen is there: let the collector work, and torch load behind it."""
        self._read_stylesheets()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, *self._thresholds[1:])
        gc.enable()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._start_training_thread()

    def _read_stylesheets(self) -> None:
        """Read the other screens': Textual would style the lab anew for each that opens."""
        for path in sorted((HERE / "screens").glob("*.tcss")):
            if not self.stylesheet.has_source(str(path), ""):
                self.stylesheet.read(path)
        self.stylesheet.parse()

    def _start_training_thread(self) -> None:
        self._train()

    @work(thread=True, group="training", exit_on_error=False)
    def _train(self) -> None:
        """The one thread that trains."""
        from fashiontui.tui.worker import Trainer  # not needed to paint

        self.trainer = Trainer(
            self.queue, self.library, self._data, self._folders, self.lab.post_message
        )
        self.trainer.work()

    def on_unmount(self) -> None:
        """End the training thread, whatever the app ended by; let the collector have all again."""
        self.queue.close()  # a process waits for its threads: an app that broke would never end
        gc.unfreeze()
        gc.set_threshold(*self._thresholds)
        sys.setswitchinterval(self._switch_seconds)

    # Data

    @on(DataMissing)
    def _data_missing(self, message: DataMissing) -> None:
        if self._data == "auto" and self._choice.dataset == "sample":
            self._data_chosen(DataFound("sample", None))
            self.lab.note(
                "Fashion-MNIST is missing; the sample set, as chosen before. d changes it."
            )
        else:
            self._ask_for_data(message.reason)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        if message.code is ExitCode.NO_DATA:
            self._ask_for_data(message.sentence)

    def action_choose_data(self) -> None:
        """Choose the images to learn from."""
        self._ask_for_data("Which images shall networks learn from?")

    def _ask_for_data(self, reason: str) -> None:
        from fashiontui.tui.screens.data import ChooseData  # not needed to paint

        if not isinstance(self.screen, ChooseData):
            self.push_screen(ChooseData(reason, self._download_to), self._data_chosen)

    def _data_chosen(self, found: DataFound | None) -> None:
        if found is None:
            return
        folder = str(found.place) if found.place else None
        self._choice = structs.replace(self._choice, dataset=found.dataset, data_folder=folder)
        if found.place is not None:
            self._folders.insert(0, found.place)
        self.queue.use_dataset(found.dataset)
        self.lab.post_message(found)
        self.lab.action_resume()

    # Leaving

    def action_leave(self) -> None:
        """Quit; ask first while a run trains. Asked again while it waits, leave at once."""
        if self._leaving:
            self._go(joined=False)
        elif not isinstance(self.screen, Confirm):
            self._ask_to_leave()

    @work(group="leaving")
    async def _ask_to_leave(self) -> None:
        current = self.queue.current
        if current is not None and not await self.push_screen_wait(
            Confirm(
                "Quit while a run trains?",
                f"{current.spec.title} is stopped and saved; c on the board continues it.",
                "Stop and quit",
                "Keep training",
            )
        ):
            return
        await self._leave()

    def leave_by_signal(self, number: int) -> None:
        """Save what trains and exit as the signal asks; after a second one, at once."""
        self._exit_code = 128 + number
        self.queue.close()
        # Drawing on a terminal that is gone may block for ever; the training thread still saves.
        last_resort = Timer(PATIENCE_SECONDS, os._exit, (self._exit_code,))
        last_resort.daemon = True
        last_resort.start()
        if not self.is_running:
            leave_at_once(number)
        elif self._leaving:
            self._go(joined=False)
        else:
            self.run_worker(self._leave(SIGNAL_SECONDS), group="leaving")

    @on(ExitApp)
    def _page_closed(self, message: ExitApp) -> None:
        """In a browser a closed page, as any signal, sends just this: save what trains first.

        It is not what ``exit`` sends after it has noted that the app ends.
        """
        if not self._exit and not self._leaving:
            message.prevent_default()
            self.run_worker(self._leave(SIGNAL_SECONDS), group="leaving")

    async def _leave(self, patience: float = LATEST_SECONDS) -> None:
        """Stop the run under way, wait for its thread, then exit."""
        self._leaving = True
        self.lab.note("Quitting.")
        remembered = structs.replace(
            self.lab.choice(),
            theme=self.theme,
            dataset=self._choice.dataset,
            data_folder=self._choice.data_folder,
        )
        save_choice(remembered, paths.last_choice_file())
        self.queue.close()
        self._go(joined=await self._joined(patience))

    async def _joined(self, patience: float) -> bool:
        """Wait for the threads, not for ever: whether each of them has come to its end."""
        threads = [worker.wait() for worker in self.workers if worker.group in THREADS]
        joining = asyncio.gather(*threads, return_exceptions=True)
        current = self.queue.current
        await asyncio.wait({joining}, timeout=SOON_SECONDS)
        if not joining.done() and current is not None:
            wait = patience - SOON_SECONDS
            self.notify(
                f"Waiting up to {wait:.0f} s for {current.spec.title} to stop and its last epoch "
                "to be stored; another process may have locked the store. q leaves at once.",
                timeout=wait,
            )
            await asyncio.wait({joining}, timeout=wait)
        return joining.done()

    def _go(self, joined: bool) -> None:
        current = self.queue.current
        self.left_behind = not joined
        if not joined and current is not None:
            self.last_words = (
                f"{current.spec.title} could not be stored to its end; the next start shows it as "
                "interrupted, to be continued from its last stored epoch."
            )
        self.library.close()
        if hung_up():
            os._exit(self._exit_code)
        self.exit(return_code=self._exit_code)

    def action_interrupt(self) -> None:
        """Ask whether to stop the run, or say how to quit."""
        if self._leaving:
            self._go(joined=False)
        elif self.queue.current is None:
            self.notify("Nothing trains. Press q to quit.")
        elif not isinstance(self.screen, Confirm):
            self._ask_to_stop(self.queue.current)

    @work(group="leaving")
    async def _ask_to_stop(self, current: Job) -> None:
        if await self.push_screen_wait(
            Confirm(
                "Stop the run?",
                f"{current.spec.title} is saved, to be continued; waiting runs are held.",
                "Stop",
                "Keep training",
            )
        ):
            self.queue.stop()

    def action_tune(self) -> None:
        """Open the Tune screen."""
        from fashiontui.tui.screens.tune import Tune  # not needed to paint

        lab = self.lab
        self.push_screen(
            Tune(
                self.library,
                self.queue,
                lab.choice(),
                lab.configure.dataset,
                self._marker,
                lambda: (lab.history.started, len(lab.history.epochs)),
            )
        )

    # Help and looks

    def action_help(self) -> None:
        """Explain what has the focus."""
        from fashiontui.tui.screens.help import help_on  # loads Markdown, not needed to paint

        self.push_screen(help_on(self.screen))

    def action_next_theme(self) -> None:
        """Take the next of our own themes."""
        names = [theme.name for theme in OURS]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
