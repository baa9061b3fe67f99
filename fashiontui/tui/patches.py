"""Drawing small changes at the price of small changes.

For a partial update Textual takes the lines of every widget between the first and the last thing
that changed: a status line at the top and a bar in the middle make it look through half the screen,
ten times a second beside a training thread that waits for the interpreter meanwhile. What is drawn
is the same here; only widgets under the changes are asked, and only for the lines concerned.
"""

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class PatchCompositor(Compositor):
    """Textual's compositor, but for what a partial update looks at."""

    def __init__(self) -> None:
        super().__init__()
        self._patches: tuple[Region, ...] = ()

    def render_partial_update(self) -> ChopsUpdate | None:
        """Draw what has changed."""
        self._patches = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._patches = ()

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Region, clip and lines of each widget under a patch; of every widget without patches.

        Widgets come from the front to the back: what lies under one that a patch is all within is
        hidden there, as the panels around it are.
        """
        if not self._patches:
            yield from super()._get_renders(crop)
            return
        patches = self._patches
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            touched = [patch for patch in patches if seen.overlaps(patch)]
            if not touched:
                continue
            top = max(seen.y, min(patch.y for patch in touched))
            bottom = min(seen.bottom, max(patch.bottom for patch in touched))
            lines = Region(seen.x, top, seen.width, bottom - top)
            yield region, lines, widget.render_lines(lines.translate(-region.offset))
            patches = tuple(patch for patch in patches if not seen.contains_region(patch))
            if not patches:
                return
