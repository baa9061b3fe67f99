"""The screen of weights: every key of it, and activations of a network that was really trained."""

from typing import Any

import numpy as np
import pytest
import torch
from driving import drive, opened, press
from making import made_spec
from msgspec import structs
from scripted import ScriptedApp
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui.data.sample import sample_set
from fashiontui.domain.board import Board
from fashiontui.engine import Placement
from fashiontui.images.sample import drawn
from fashiontui.runner import run
from fashiontui.store import Store
from fashiontui.tui.activations import Looker
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.screens.weights import Weights
from fashiontui.tui.widgets.first_layer import FirstLayerView


def said(app: Any, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run of the sample set with its weights, and the store it is in."""
    store = Store(str(tmp_path_factory.mktemp("store") / "runs.db"))
    placement = Placement(torch.device("cpu"), "fp32", 1)
    spec = made_spec("cnn", (4, 6), dataset="sample", epochs=2)
    for _ in run(spec, sample_set(), placement, store):
        pass
    yield store.get(store.runs()[0].id), store
    store.close()


def test_w_shows_an_epochs_pictures_and_figures() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Weights, "4", "h", "w")
        assert "epoch 10 of 10" in said(app, "#weights-title")
        assert "epoch 10: 23 kernels" in said(app, "#pictures")
        await press(pilot, "left")
        assert "epoch 9: 23 kernels" in said(app, "#pictures")
        await press(pilot, "home")
        assert "epoch 1 of 10" in said(app, "#weights-title")
        await press(pilot, "right", "end")
        assert "epoch 10 of 10" in said(app, "#weights-title")
        await press(pilot, "escape")
        assert isinstance(app.screen, LabScreen)

    drive(scenario)


def test_narrow_terminals_show_pictures_or_figures() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Weights, "4", "h", "w")
        layer = app.screen.query_one(FirstLayerView)
        assert layer.display
        await press(pilot, "t")
        assert not layer.display

    drive(scenario, size=(60, 20))


def test_an_epoch_without_pictures_says_of_which_there_are_some() -> None:
    from dataclasses import replace

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        [record] = app.library.get([f"{0:012x}"])
        thin = replace(record.inside[0], count=0, pixels=b"")
        record = replace(record, inside=(thin, *record.inside[1:3]))
        app.push_screen(Weights([record], app.library.weights_of, [], False))
        await press(pilot, "home")
        assert "No pictures were kept of epoch 1; of these they were: 2, 3." in said(
            app, "#pictures"
        )

    drive(scenario)


def test_activations_of_a_run_without_weights_say_so() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        [record] = app.library.get([f"{0:012x}"])
        spec = structs.replace(record.spec, dataset="sample")
        object.__setattr__(record, "spec", spec)
        app.push_screen(Weights([record], app.library.weights_of, [], False))
        await press(pilot, "a")
        assert "weights of this run are not on this machine" in said(app, "#maps")
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, LabScreen)

    drive(scenario)


def test_a_shows_what_each_layer_makes_of_an_image(trained: Any) -> None:
    record, store = trained

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.push_screen(Weights([record], store.checkpoints.find, [], False))
        await press(pilot, "a")
        panel = app.screen.query_one("#activations")
        assert panel.border_title == "What conv1 hands on (1 of 3)"
        await press(pilot, "n", "n")
        assert panel.border_title == "What output hands on (3 of 3)"
        await press(pilot, "right")
        assert "test image 1" in said(app, "#weights-title")
        await press(pilot, "end")
        assert "test image 999" in said(app, "#weights-title")
        await press(pilot, "home", "escape")
        assert not app.screen.has_class("-looking")

    drive(scenario)


def test_activations_end_in_the_probabilities_that_were_stored(trained: Any) -> None:
    record, store = trained
    looker = Looker(record, store.checkpoints.find(record.id))
    for image in (0, 7, 500):
        seen = looker.look(drawn().test_images[image])
        stored = np.frombuffer(record.test.probabilities, np.uint8).reshape(-1, 10)[image]
        assert np.allclose(seen.probabilities, stored / 255, atol=0.6 / 255)
        assert [*seen.layers] == ["conv1", "conv2", "output"]


def test_with_nothing_kept_it_says_what_to_press() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.board.load(Board())
        await opened(pilot, Weights, "w")
        await press(pilot, "left", "end", "a", "n")
        assert app.screen.has_class("-empty")

    drive(scenario)
