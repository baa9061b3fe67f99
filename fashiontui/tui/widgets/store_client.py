"""A widget that asks the store from threads; the answers arrive as messages."""

from collections.abc import Callable

from textual import work
from textual.containers import Vertical
from textual.message import Message

from fashiontui.domain.errors import FashiontuiError
from fashiontui.domain.spec import DatasetName
from fashiontui.tui.library import Library
from fashiontui.tui.messages import BoardLoaded, Failed, RunsFetched, TeachersChosen, TeachersRead


class StoreClient(Vertical):
    """Every question is a thread of its own: the store may be slow or locked."""

    def __init__(self, library: Library, id: str) -> None:  # noqa: A002  # Textual's name
        """Args:
        library: The stored runs.
        id: Of the widget.
        """
        super().__init__(id=id)
        self._library = library

    @work(thread=True, group="store")
    def read_store(self) -> None:
        """Read the board anew; the store may be slow or locked, so a thread waits for it."""
        self._guarded(lambda: BoardLoaded(self._library.board()))

    @work(thread=True, group="store")
    def fetch(self, run_ids: list[str], purpose: str) -> None:
        """Read whole runs for a purpose of the screen's."""
        self._guarded(lambda: RunsFetched(self._library.get(run_ids), purpose))

    @work(thread=True, group="store")
    def fetch_baseline(self, run_id: str) -> None:
        """Read the run pinned at the last start; none where it was deleted since."""
        self._guarded(lambda: RunsFetched(self._library.find(run_id), "pinned"))

    @work(thread=True, group="store")
    def fetch_teachers(self, run_ids: list[str], dataset: DatasetName) -> None:
        """See whether these runs can teach, for the form."""
        self._guarded(lambda: TeachersChosen(self._library.chosen_teachers(run_ids, dataset)))

    @work(thread=True, group="store")
    def find_teachers(self, rows: list[list[str]], asked: str, dataset: DatasetName) -> None:
        """See which of these rows can teach, the best first, and whether those asked for can."""

        def ask() -> TeachersRead:
            offered, trouble = self._library.teachers(rows, asked, dataset)
            return TeachersRead(offered, asked, trouble)

        self._guarded(ask)

    @work(thread=True, group="store")
    def undo(self) -> None:
        """Bring back what was deleted last."""
        self._guarded(lambda: RunsFetched(self._library.undo(), "restored"))
        self._guarded(lambda: BoardLoaded(self._library.board()))

    @work(thread=True, group="store")
    def delete(self, run_ids: list[str]) -> None:
        """Delete runs; ``undo`` brings them back."""
        self._guarded(lambda: RunsFetched(self._library.delete(run_ids), "deleted"))
        self._guarded(lambda: BoardLoaded(self._library.board()))

    def _guarded(self, ask: Callable[[], Message]) -> None:
        """Post what the store answers, or the sentence that says why it does not."""
        try:
            self.post_message(ask())
        except FashiontuiError as error:
            self.post_message(Failed(str(error), error.exit_code))
