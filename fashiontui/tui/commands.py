"""The palette: every action of the app, found by typing."""

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from fashiontui.tui.widgets.board_table import BoardTable
from fashiontui.tui.widgets.chart import Curves
from fashiontui.tui.widgets.leaderboard import Leaderboard
from fashiontui.tui.widgets.queue_view import QueueList


class Actions(Provider):
    """Every binding that has an id, of the app, the screen and their panels.

    Where two widgets have the same one, it acts on the first.
    """

    def _actions(self) -> Iterator[tuple[str, str, str, DOMNode]]:
        """Title, help, action and the node that has it."""
        nodes: list[DOMNode] = [self.screen, self.app]
        for panel in (Leaderboard, BoardTable, QueueList, Curves):
            nodes += self.screen.query(panel)
        for node in nodes:
            for _, binding in node._bindings:
                if binding.id and binding.tooltip and not binding.system:
                    key = self.app.get_key_display(binding)
                    yield f"{binding.tooltip}  ({key})", binding.description, binding.action, node

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        seen = set()
        for title, about, action, node in self._actions():
            if title not in seen:
                seen.add(title)
                run = partial(self.app.run_action, action, node)
                yield DiscoveryHit(title, run, help=about)

    async def search(self, query: str) -> Hits:
        """Those that match what is typed."""
        matcher = self.matcher(query)
        seen = set()
        for title, about, action, node in self._actions():
            score = max(matcher.match(title), matcher.match(about))
            if score > 0 and title not in seen:
                seen.add(title)
                run = partial(self.app.run_action, action, node)
                yield Hit(score, matcher.highlight(title), run, help=about)
