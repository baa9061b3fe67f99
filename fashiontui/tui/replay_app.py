"""The app around one replay: no lab, no training thread, no torch."""

from pathlib import Path

from textual.screen import Screen

from fashiontui.config import Config
from fashiontui.domain.replay import Replay
from fashiontui.tui.app import HERE, FashionTui
from fashiontui.tui.choice import Choice
from fashiontui.tui.screens.replay import ReplayScreen
from fashiontui.tui.terminal import Glyphs


class ReplayApp(FashionTui):
    """Plays a stored run, with the lab's looks; quitting ends it at once."""

    CSS_PATH = [HERE / "app.tcss", HERE / "screens" / "replay.tcss"]

    def __init__(
        self,
        replay: Replay,
        speed: float | None,
        choice: Choice,
        config: Config,
        notices: tuple[str, ...] = (),
        glyphs: Glyphs = Glyphs.ALL,
    ) -> None:
        """Args:
        replay: What is played.
        speed: Times as fast as it was; the usual one when None.
        choice: What was chosen the last time; its theme is used.
        config: The user's settings.
        notices: Sentences to show at the start.
        glyphs: Which characters the terminal has.
        """
        super().__init__("sqlite://", "auto", [Path()], choice, config, notices, glyphs)
        self._replayed = ReplayScreen(replay, self._marker, speed)

    def get_default_screen(self) -> Screen[None]:
        """The replay."""
        return self._replayed

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that is about training."""
        return action not in ("choose_data", "interrupt", "tune")

    def action_leave(self) -> None:
        """Quit."""
        self.exit()

    async def _leave(self, patience: float = 0.0) -> None:
        """Exit after a signal: there is nothing to save."""
        self.exit(return_code=self._exit_code)

    def _set_keys(self) -> None:
        """The keymap is about the lab's widgets, which are not here."""

    def _start_training_thread(self) -> None:
        """There is nothing to train."""
