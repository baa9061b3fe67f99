"""The interactive app: a table of contents of screens, threads and keys."""

from pathlib import Path

from textual import on, work
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen
from textual.worker import Worker

from fashiontui import paths
from fashiontui.config import Config, check_keymap
from fashiontui.domain.errors import ExitCode, UsageError
from fashiontui.domain.spec import DataChoice, DatasetName
from fashiontui.tui.choice import Choice, save_choice
from fashiontui.tui.commands import Actions
from fashiontui.tui.library import Library
from fashiontui.tui.messages import DataFound, DataMissing, Failed
from fashiontui.tui.queue import RunQueue
from fashiontui.tui.screens.confirm import Confirm
from fashiontui.tui.screens.data import ChooseData
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.themes import OURS, SERIES
from fashiontui.tui.widgets.chart import usable_marker
from fashiontui.tui.worker import Trainer

HERE = Path(__file__).parent


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
    ) -> None:
        """Args:
        store: URL or path of the store.
        data: Which data set was asked for.
        data_folders: Where Fashion-MNIST may lie; a download goes to the first.
        choice: What was chosen the last time.
        config: The user's settings.
        notices: Sentences to show at the start.
        """
        super().__init__()
        self._data = data
        self._folders = data_folders
        self._download_to = data_folders[0]
        self._choice = choice
        self._config = config
        self._notices = list(notices)
        self._leaving = False
        self._dress()
        self._training: Worker[None] | None = None
        self.queue = RunQueue()
        self.library = Library(store)
        marker = usable_marker(config.marker, self.console.color_system)
        dataset: DatasetName = "sample" if data == "sample" else "fashion-mnist"
        self.lab = LabScreen(self.queue, self.library, choice, dataset, marker)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of curves, which every theme has."""
        return SERIES

    def get_default_screen(self) -> Screen[None]:
        """The lab."""
        return self.lab

    def on_mount(self) -> None:
        """Dress, and start the threads behind the first paint."""
        self._set_keys()
        for notice in self._notices:
            self.notify(notice, severity="warning", timeout=15, markup=False)
        self.call_after_refresh(self._start_training_thread)

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
        known = {b.id for node in nodes for _, b in node._bindings if b.id}
        try:
            check_keymap(self._config, known)
            self.set_keymap(self._config.keymap)
        except UsageError as error:
            self._notices.append(str(error))

    def _start_training_thread(self) -> None:
        self._training = self._train()

    @work(thread=True, group="training", exit_on_error=False)
    def _train(self) -> None:
        """The one thread that trains."""
        self.trainer = Trainer(
            self.queue, self.library, self._data, self._folders, self.lab.post_message
        )
        self.trainer.work()

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
        if not isinstance(self.screen, ChooseData):
            self.push_screen(ChooseData(reason, self._download_to), self._data_chosen)

    def _data_chosen(self, found: DataFound | None) -> None:
        if found is None:
            return
        folder = str(found.place) if found.place else None
        self._choice = self._choice.model_copy(
            update={"dataset": found.dataset, "data_folder": folder}
        )
        if found.place is not None:
            self._folders.insert(0, found.place)
        self.queue.use_dataset(found.dataset)
        self.lab.post_message(found)
        self.lab.action_resume()

    # Leaving

    @work(group="leaving", exclusive=True)
    async def action_leave(self) -> None:
        """Quit; ask first while a run trains."""
        current = self.queue.current
        if current is not None and not await self.push_screen_wait(
            Confirm(
                "Quit while a run trains?",
                f"{current.spec.title} is stopped; the epochs it finished stay in the store.",
                "Stop and quit",
                "Keep training",
            )
        ):
            return
        await self._leave()

    async def _leave(self) -> None:
        """Stop the run under way, wait for its thread, then exit."""
        if self._leaving:
            return
        self._leaving = True
        self.lab.note("Quitting.")
        remembered = self.lab.choice().model_copy(
            update={
                "theme": self.theme,
                "dataset": self._choice.dataset,
                "data_folder": self._choice.data_folder,
            }
        )
        save_choice(remembered, paths.last_choice_file())
        self.queue.close()
        if self._training is not None:
            await self._training.wait()
        self.library.close()
        self.exit()

    @work(group="leaving", exclusive=True)
    async def action_interrupt(self) -> None:
        """Ask whether to stop the run, or say how to quit."""
        current = self.queue.current
        if current is None:
            self.notify("Nothing trains. Press q to quit.")
        elif await self.push_screen_wait(
            Confirm(
                "Stop the run?",
                f"{current.spec.title} keeps the epochs it finished; waiting runs are held.",
                "Stop",
                "Keep training",
            )
        ):
            self.queue.stop()

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
