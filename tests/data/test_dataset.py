"""The sample set, and the split that sets validation images aside."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fashiontui.data import fashion_mnist, load
from fashiontui.data.dataset import CLASS_NAMES, split
from fashiontui.data.sample import sample_set
from fashiontui.domain.spec import TEST_IMAGES

quick = settings(deadline=None, derandomize=True, max_examples=40)
LABELS = st.lists(st.integers(0, 9), min_size=20, max_size=300).map(torch.tensor)


def test_the_sample_set_is_shaped_like_fashion_mnist():
    data = sample_set()
    assert data.name == "sample"
    assert (data.images.shape, data.test_images.shape) == ((2000, 1, 28, 28), (1000, 1, 28, 28))
    assert data.images.dtype == data.test_images.dtype == torch.uint8
    assert data.labels.dtype == data.test_labels.dtype == torch.int64


def test_the_sample_set_has_as_many_images_of_each_of_ten_classes():
    data = sample_set()
    assert torch.bincount(data.labels).tolist() == [200] * len(CLASS_NAMES)
    assert torch.bincount(data.test_labels).tolist() == [100] * len(CLASS_NAMES)
    assert len(data.test_labels) == TEST_IMAGES["sample"]


def test_the_sample_set_is_the_same_in_every_process():
    code = (
        "import sys; from fashiontui.data.sample import sample_set; d = sample_set();"
        "sys.stdout.buffer.write(d.images.numpy().tobytes() + d.test_images.numpy().tobytes())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    data = sample_set()
    assert other == data.images.numpy().tobytes() + data.test_images.numpy().tobytes()


def test_no_test_image_of_the_sample_set_is_a_training_image():
    data = sample_set()
    seen = {image.numpy().tobytes() for image in data.images}
    assert not any(image.numpy().tobytes() in seen for image in data.test_images)


def test_every_class_of_the_sample_set_looks_different():
    data = sample_set()
    means = [data.images[data.labels == label].float().mean(0) for label in range(10)]
    apart = [(a - b).abs().mean() for i, a in enumerate(means) for b in means[:i]]
    assert min(apart) > 3


def test_the_sample_set_needs_no_torchvision():
    code = (
        "import sys; from fashiontui.data import load; load('sample', [], print);"
        "sys.exit('torchvision' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@quick
@given(LABELS, st.integers(0, 2**63 - 1))
def test_a_split_holds_every_image_once(labels, seed):
    training, validation = split(labels, seed)
    both = torch.cat([training, validation]).sort().values
    assert torch.equal(both, torch.arange(len(labels)))


@quick
@given(LABELS, st.integers(0, 100))
def test_a_split_sets_a_tenth_of_every_class_aside(labels, seed):
    _, validation = split(labels, seed)
    held_out = torch.bincount(labels[validation], minlength=10).tolist()
    whole = torch.bincount(labels, minlength=10).tolist()
    assert all(abs(part - count / 10) <= 0.5 for part, count in zip(held_out, whole, strict=True))


def test_the_same_split_seed_gives_the_same_split():
    labels = sample_set().labels
    assert all(map(torch.equal, split(labels, 5), split(labels, 5)))


def test_another_split_seed_gives_another_split():
    labels = sample_set().labels
    assert not torch.equal(split(labels, 5)[1], split(labels, 6)[1])


def test_a_split_neither_reads_nor_moves_the_process_wide_generator():
    labels = sample_set().labels
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = split(labels, 0)[1]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(one, split(labels, 0)[1])


def test_both_parts_of_a_split_ascend():
    for part in split(sample_set().labels, 0):
        assert torch.equal(part, part.sort().values)


def test_the_real_data_are_split_into_54000_and_6000(real_data):
    data = fashion_mnist.load([real_data], pytest.fail)
    training, validation = split(data.labels, 0)
    assert (len(training), len(validation)) == (54_000, 6_000)
    assert torch.bincount(data.labels[training]).tolist() == [5_400] * 10
    assert torch.bincount(data.labels[validation]).tolist() == [600] * 10


def test_the_real_data_are_all_there(real_data):
    data = load("fashion-mnist", [real_data], pytest.fail)
    assert data.name == "fashion-mnist"
    assert (data.images.shape, data.test_images.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert data.images.dtype == torch.uint8
    assert torch.bincount(data.test_labels).tolist() == [1_000] * 10
