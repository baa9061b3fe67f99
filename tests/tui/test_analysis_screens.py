"""Pictures of the screens over stored runs, each alone, from scripted runs: no clock, no training.

After a change of their looks: ``pytest tests/tui/test_analysis_screens.py --snapshot-update``.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from driving import press, settle, until
from scripted import ScriptedApp, fill, fill_seeds, named_network, spec_of, story
from textual.pilot import Pilot
from textual.screen import Screen

from fashiontui.domain.board import BoardRow, live_row
from fashiontui.domain.events import Status
from fashiontui.domain.family import CLASSES
from fashiontui.domain.history import History
from fashiontui.domain.pareto import Suggestion
from fashiontui.domain.record import RunRecord
from fashiontui.images import test_images
from fashiontui.images.sample import drawn
from fashiontui.store.store import MEMORY, Store
from fashiontui.tui.activations import Activations
from fashiontui.tui.library import Library
from fashiontui.tui.messages import Noted
from fashiontui.tui.opening import Opening
from fashiontui.tui.screens import over_runs
from fashiontui.tui.screens import weights as weights_module
from fashiontui.tui.screens.pareto import Pareto
from fashiontui.tui.terminal import Glyphs
from fashiontui.tui.widgets.chart import Marker

WIDE, NARROW = (120, 40), (60, 20)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
Snap = Callable[..., bool]
Then = Callable[[Any, Pilot[Any]], Awaitable[None]]


class Alone(ScriptedApp):
    """The app with one of its screens instead of the lab."""

    def get_default_screen(self) -> Screen[None]:
        """Nothing, below the screen looked at."""
        return Screen()

    def _start_training_thread(self) -> None: ...


@pytest.fixture(scope="module")
def six() -> Iterator[Store]:
    """Six runs, of which one failed."""
    with closing(Store(MEMORY)) as store:
        fill(store)
        yield store


@pytest.fixture(scope="module")
def seeded() -> Iterator[Store]:
    """Five seeds each of three networks, and one run of a fourth."""
    with closing(Store(MEMORY)) as store:
        fill_seeds(store)
        yield store


@pytest.fixture(autouse=True)
def _standing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still, and the test images are those of the sample set."""
    monkeypatch.setattr(over_runs, "monotonic", lambda: 0.0)
    images = np.tile(drawn().test_images, (10, 1, 1))
    monkeypatch.setattr(test_images, "test_images", lambda dataset, folders: images)


def shown(
    snap_compare: Snap,
    screen: Screen[None],
    size: tuple[int, int],
    then: Sequence[str] | Then = (),
    glyphs: Glyphs = Glyphs.ALL,
) -> bool:
    """Whether a screen looks as before, after the keys are pressed or it is driven."""

    async def run_before(pilot: Pilot[Any]) -> None:
        await pilot.app.push_screen(screen)
        await settle(pilot)
        if callable(then):
            await then(screen, pilot)
        else:
            await press(pilot, *then)
        await settle(pilot)

    return snap_compare(Alone(glyphs=glyphs), terminal_size=size, run_before=run_before)


def over(name: str, records: Sequence[RunRecord], marker: Marker = "braille") -> Screen[None]:
    """A screen over runs."""
    return Opening(Library(MEMORY), [], marker, History).screen(name, records)


def of(store: Store, *numbers: int) -> list[RunRecord]:
    """Runs in the order of their ids."""
    ids = sorted(run.id for run in store.runs())
    return [store.get(ids[number]) for number in numbers]


def pareto(rows: Sequence[BoardRow], live: BoardRow | None = None, ascii: bool = False) -> Pareto:  # noqa: A002
    """The plot of some rows, whose suggestion is nobody's wish."""

    def request(suggested: Suggestion) -> Noted:
        return Noted("")

    return Pareto(rows, lambda: live, lambda run_id: None, request, "ascii" if ascii else "braille")


def under_way() -> BoardRow:
    """A CNN in its eighth epoch of twelve."""
    history = History()
    for event in story("5eed", spec_of(named_network("cnn-100k"), "best", epochs=12), 7,
                       Status.RUNNING):  # fmt: skip
        history.fold(event)
    return live_row(history)


@pytest.mark.parametrize("name", ["mistakes", "race", "replay", "weights"])
def test_with_no_run_a_screen_says_what_fills_it(snap_compare: Snap, name: str) -> None:
    assert shown(snap_compare, over(name, []), NARROW)


def test_pareto_with_no_run_has_the_reports_points(snap_compare: Snap) -> None:
    assert shown(snap_compare, pareto([]), NARROW)


@SIZES
def test_pareto_has_frontier_report_and_the_run_under_way(
    snap_compare: Snap, six: Store, size: tuple[int, int]
) -> None:
    assert shown(snap_compare, pareto(six.board(), under_way()), size, ["down"])


def test_pareto_of_seeds_against_time_on_the_test_set(snap_compare: Snap, seeded: Store) -> None:
    assert shown(snap_compare, pareto(seeded.board()), WIDE, ["x", "y", "h"])


def test_pareto_in_ascii(snap_compare: Snap, six: Store) -> None:
    screen = pareto(six.board(), ascii=True)
    assert shown(snap_compare, screen, (100, 30), glyphs=Glyphs.ASCII)


@SIZES
def test_mistakes_are_a_matrix_with_images_of_its_cells(
    snap_compare: Snap, six: Store, size: tuple[int, int]
) -> None:
    assert shown(snap_compare, over("mistakes", of(six, 0)), size, ["up", "down"])


def test_the_images_of_a_cell_are_alone_where_there_is_little_room(
    snap_compare: Snap, six: Store
) -> None:
    assert shown(snap_compare, over("mistakes", of(six, 0)), NARROW, ["enter", "right"])


def test_a_gallery_of_mistakes_fills_a_wide_terminal(snap_compare: Snap, six: Store) -> None:
    assert shown(snap_compare, over("mistakes", of(six, 0)), (200, 50), ["s", "right"])


@SIZES
def test_two_runs_are_compared_by_the_images_only_one_gets_right(
    snap_compare: Snap, six: Store, size: tuple[int, int]
) -> None:
    assert shown(snap_compare, over("mistakes", of(six, 0, 4)), size)


def test_two_runs_have_a_matrix_each(snap_compare: Snap, six: Store) -> None:
    assert shown(snap_compare, over("mistakes", of(six, 0, 4)), (100, 40), ["x"])


def test_mistakes_in_ascii(snap_compare: Snap, six: Store) -> None:
    screen = over("mistakes", of(six, 0), "ascii")
    assert shown(snap_compare, screen, WIDE, glyphs=Glyphs.ASCII)


@SIZES
def test_a_race_at_its_end(snap_compare: Snap, seeded: Store, size: tuple[int, int]) -> None:
    assert shown(snap_compare, over("race", of(seeded, *range(15))), size)


def test_a_race_by_seconds_before_its_end(snap_compare: Snap, six: Store) -> None:
    screen = over("race", of(six, 0, 4, 2, 5))
    assert shown(snap_compare, screen, WIDE, ["s", *["left"] * 9])


@SIZES
def test_a_replay_midway(snap_compare: Snap, six: Store, size: tuple[int, int]) -> None:
    async def then(screen: Any, pilot: Pilot[Any]) -> None:
        screen.advance(14.0)
        await press(pilot, "space")

    assert shown(snap_compare, over("replay", of(six, 0)), size, then)


def test_a_replay_at_its_end(snap_compare: Snap, six: Store) -> None:
    assert shown(snap_compare, over("replay", of(six, 3)), WIDE, ["end"])


@SIZES
def test_an_epochs_first_layer_and_figures(
    snap_compare: Snap, six: Store, size: tuple[int, int]
) -> None:
    assert shown(snap_compare, over("weights", of(six, 1)), size, ["left"])


def test_figures_of_layers_where_one_panel_fits(snap_compare: Snap, six: Store) -> None:
    assert shown(snap_compare, over("weights", of(six, 0)), NARROW, ["t"])


@SIZES
def test_activations_of_an_image(
    snap_compare: Snap, six: Store, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a network that halves the image, then leaves 20 units of it."""

    class Looker:
        def __init__(self, *_: object) -> None: ...

        def look(self, image: np.ndarray) -> Activations:
            small = image[::2, ::2].astype(float)
            maps = np.stack([np.roll(small, by, axis=1) * (1 - by / 20) for by in range(12)])
            shares = [0.01] * CLASSES
            shares[9], shares[7] = 0.8, 0.12
            return Activations({"conv1": maps, "output": np.arange(20.0) - 8}, shares)

    monkeypatch.setattr(weights_module, "Looker", Looker)

    async def then(screen: Any, pilot: Pilot[Any]) -> None:
        screen._weights_of = lambda run_id: __file__
        await press(pilot, "a")
        await until(pilot, lambda: screen._seen is not None)

    assert shown(snap_compare, over("weights", of(six, 0)), size, then)
