"""Augmentation changes what it says, image by image, and nothing else."""

import pytest
import torch

from fashiontui.data.augment import ERASED, MAX_SHIFT, augmented, mixed

IMAGES = torch.randint(
    1, 256, (400, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)
"""No pixel is black, so what was moved in can be told apart."""


def changed(augment, seed=0, images=IMAGES):
    return augmented(images, augment, torch.Generator().manual_seed(seed))


def moves(image, by):
    """The image moved ``by`` pixels down and across, black moved in."""
    down, across = by
    moved = torch.zeros_like(image)
    rows = slice(max(down, 0), 28 + min(down, 0))
    columns = slice(max(across, 0), 28 + min(across, 0))
    from_rows = slice(max(-down, 0), 28 + min(-down, 0))
    from_columns = slice(max(-across, 0), 28 + min(-across, 0))
    moved[..., rows, columns] = image[..., from_rows, from_columns]
    return moved


RANGE = range(-MAX_SHIFT, MAX_SHIFT + 1)
MOVES = [(down, across) for down in RANGE for across in RANGE]


@pytest.mark.parametrize("augment", ["none", "flip", "shift", "flip-shift"])
def test_shape_and_type_are_kept(augment):
    after = changed(augment)
    assert (after.shape, after.dtype) == (IMAGES.shape, torch.uint8)


@pytest.mark.parametrize("augment", ["none", "flip", "shift", "flip-shift"])
def test_the_images_given_are_left_alone(augment):
    before = IMAGES.clone()
    changed(augment)
    assert torch.equal(IMAGES, before)


def test_none_changes_nothing():
    assert torch.equal(changed("none"), IMAGES)


def test_none_draws_nothing():
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    augmented(IMAGES, "none", generator)
    assert torch.equal(generator.get_state(), before)


def test_flip_mirrors_about_half_of_the_images_left_to_right():
    mirrored = 0
    for before, after in zip(IMAGES, changed("flip"), strict=True):
        is_mirrored = torch.equal(after, before.flip(-1))
        assert is_mirrored or torch.equal(after, before)
        mirrored += is_mirrored
    assert 160 < mirrored < 240  # 200 expected, 10 one standard deviation


def test_shift_moves_by_at_most_two_pixels_and_fills_with_black():
    assert MAX_SHIFT == 2
    for before, after in zip(IMAGES, changed("shift"), strict=True):
        assert any(torch.equal(after, moves(before, by)) for by in MOVES)


def test_every_shift_occurs():
    seen = {
        by
        for before, after in zip(IMAGES, changed("shift"), strict=True)
        for by in MOVES
        if torch.equal(after, moves(before, by))
    }
    assert seen == set(MOVES)


def test_flip_shift_does_both():
    flips = shifts = 0
    for before, after in zip(IMAGES[:100], changed("flip-shift"), strict=False):
        ways = [
            (flip, by)
            for flip in (False, True)
            for by in MOVES
            if torch.equal(after, moves(before.flip(-1) if flip else before, by))
        ]
        assert ways
        flips += ways[0][0]
        shifts += ways[0][1] != (0, 0)
    assert flips > 25
    assert shifts > 80


@pytest.mark.parametrize("augment", ["flip", "shift", "flip-shift"])
def test_the_draws_come_from_the_generator_given(augment):
    assert torch.equal(changed(augment, 1), changed(augment, 1))
    assert not torch.equal(changed(augment, 1), changed(augment, 2))


@pytest.mark.parametrize("side", [1, 7, 28])
def test_erasing_hides_one_square_of_each_image_which_may_stick_out(side):
    plain = torch.full_like(IMAGES, 255)
    after = augmented(plain, "none", torch.Generator().manual_seed(0), erase=side)
    assert (after.shape, after.dtype) == (IMAGES.shape, torch.uint8)
    assert set(after.unique().tolist()) == {ERASED, 255}
    for image in after[:, 0]:
        rows, columns = (image == ERASED).nonzero(as_tuple=True)
        height, width = (int(at.max() - at.min()) + 1 for at in (rows, columns))
        assert len(rows) == height * width  # a rectangle, and whole
        assert side // 2 <= min(height, width) <= max(height, width) <= side
    middles = {tuple((image == ERASED).nonzero().float().mean(0).tolist()) for image in after[:, 0]}
    assert len(middles) > 150  # every image has its own


def test_mixing_blends_another_image_in_by_its_share():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(len(IMAGES))
    after, others, share = mixed(IMAGES, labels, 0.5, generator)
    assert (after.shape, after.dtype) == (IMAGES.shape, torch.uint8)
    assert sorted(others.tolist()) == labels.tolist()
    assert 0 <= share.min() < 0.05 < 0.45 < share.max() <= 0.5
    assert len(share.unique()) > 390
    part = share[:, None, None, None]
    expected = (1 - part) * IMAGES + part * IMAGES[others]
    assert (after - expected).abs().max() <= 0.51
