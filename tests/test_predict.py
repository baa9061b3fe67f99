"""``fashiontui predict``: answers with their doubts, one sentence for what cannot be answered."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from fashiontui.data.dataset import split
from fashiontui.data.photo import Seen, as_seen
from fashiontui.data.sample import sample_set
from fashiontui.predict import Likeness, answer

NOISE = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
TRAIN = ("--batch", "--data", "sample", "--threads", "1", "--precision", "fp32", "--hidden", "16")


@pytest.fixture(scope="module")
def likeness():
    return Likeness(sample_set(), split_seed=0)


def sure_of(label, odds=20.0):
    """A network that says this of everything."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).eval()
    with torch.no_grad():
        network[1].weight.zero_()
        network[1].bias.zero_()[label] = odds
    return network


def seen_of(image):
    return Seen(image.numpy().tobytes(), plain=False, negated=False)


def test_the_limit_leaves_out_one_validation_image_in_a_hundred(likeness):
    _, validation = split(sample_set().labels, 0)
    beyond = likeness.left_over(sample_set().images[validation]) > likeness.limit
    assert beyond.float().mean() <= 0.01


def test_garments_are_believed_and_noise_is_not_however_sure_the_network_is(likeness):
    garment = answer(seen_of(sample_set().test_images[3]), sure_of(3), likeness)
    assert (garment.label, garment.doubt) == (3, None)
    assert garment.probabilities[3] > 0.99
    noise = answer(as_seen(Image.fromarray(NOISE)), sure_of(3), likeness)
    assert noise.probabilities[3] > 0.99
    assert noise.doubt is not None
    assert noise.doubt.startswith("It is unlike the garments")


def test_a_plain_picture_and_an_undecided_network_are_not_believed(likeness):
    plain = answer(as_seen(Image.new("RGB", (50, 50), "navy")), sure_of(3), likeness)
    assert plain.doubt == "The picture is of one colour: there is nothing to see on it."
    undecided = answer(seen_of(sample_set().test_images[3]), sure_of(3, 0.0), likeness)
    assert undecided.doubt == "No class gets half of the probability."


@pytest.fixture
def trained(here, tmp_path):
    """A store with a run on the sample set, and pictures."""
    told = here(*TRAIN, "--epochs", "20", "--store", "runs.db", "--json")
    assert told.code == 0, told.err
    Image.fromarray(sample_set().test_images[1, 0].numpy()).save(tmp_path / "trouser.png")
    Image.fromarray(NOISE).save(tmp_path / "noise.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return json.loads(told.out)["runs"][0]["id"]


def test_pictures_are_answered_and_one_that_cannot_be_read_is_named(here, trained):
    ask = ("predict", "trouser.png", "broken.png", "noise.png", "--run", trained[:6])
    told = here(*ask, "--store", "runs.db")
    assert told.code == 2
    assert "Trouser" in told.out
    assert "Not to be believed. It is unlike the garments" in " ".join(told.out.split())
    assert "fashiontui: Cannot read the picture broken.png: it is none of" in told.err
    told = here(*ask, "--store", "runs.db", "--json")
    document = json.loads(told.out)
    assert (document["schema"], document["run"]) == (1, trained)
    trouser, noise = document["pictures"]
    assert (trouser["file"], trouser["class"], trouser["doubt"]) == ("trouser.png", "Trouser", None)
    assert sum(trouser["probabilities"].values()) == pytest.approx(1)
    assert noise["class"] is None
    assert noise["doubt"]


def refused(outcome, code, said):
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1), outcome.err
    assert said in outcome.err


def test_runs_that_cannot_be_asked_are_one_sentence(here, trained, tmp_path):
    ask = ("predict", "trouser.png", "--store", "runs.db")
    refused(here(*ask), 2, "no finished run on Fashion-MNIST with weights on this machine")
    refused(here(*ask, "--run", "ffff"), 2, "There is no run 'ffff'")
    [weights] = (tmp_path / "runs.db-checkpoints").iterdir()
    weights.write_bytes(weights.read_bytes()[:100])
    refused(here(*ask, "--run", trained), 1, "Cannot use the weights in")
    weights.unlink()
    refused(
        here(*ask, "--run", trained), 2, f"The weights of run {trained} are not on this machine"
    )
