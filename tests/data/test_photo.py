"""Pictures of any size, mode and polarity become what Fashion-MNIST would have made of them."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fashiontui.data.photo import MOST_BYTES, as_seen, read_photo
from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import UsageError

SIDE = 28


def garment(number=0):
    """A garment of the sample set, its noise taken away: uint8 (28, 28), dark background."""
    grey = sample_set().test_images[number, 0].numpy().astype(int)
    return np.where(grey > 80, grey, 0).astype(np.uint8)


def photographed(grey, light=True, ground=235, scale=20, room=(700, 640)):
    """The garment as on a photo: large, anywhere on a light or a dark ground."""
    large = np.asarray(Image.fromarray(grey).resize((SIDE * scale,) * 2, Image.Resampling.BICUBIC))
    shares = large.astype(float) / 255
    photo = np.full((room[1], room[0]), ground if light else 255 - ground, dtype=float)
    placed = ground * (1 - shares) if light else 255 - ground + ground * shares
    photo[30 : 30 + len(large), 50 : 50 + len(large)] = placed
    return Image.fromarray(photo.clip(0, 255).astype(np.uint8)).convert("RGB")


def pixels(seen):
    return np.frombuffer(seen.pixels, dtype=np.uint8).reshape(SIDE, SIDE)


def corners(grey):
    """The median of the four corners."""
    return np.median(grey[[0, 0, -1, -1], [0, -1, 0, -1]])


def trimmed(grey):
    rows, columns = (grey > 60).any(1).nonzero()[0], (grey > 60).any(0).nonzero()[0]
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("number", [0, 1, 3, 7, 8])
def test_a_photo_is_trimmed_resized_centred_and_light_on_dark(number, light):
    seen = as_seen(photographed(garment(number), light))
    got = trimmed(pixels(seen))
    assert max(got.shape) >= SIDE - 2
    assert seen.negated is light
    wanted = Image.fromarray(trimmed(garment(number))).resize(got.shape[::-1])
    alike = np.corrcoef(got.ravel(), np.asarray(wanted, dtype=float).ravel())[0, 1]
    assert alike > 0.75
    margins = [pixels(seen)[:, 0].max(), pixels(seen)[:, -1].max()]
    assert min(margins) < 60 or got.shape[1] >= SIDE - 1


def test_the_ground_becomes_black_whatever_its_shade():
    for ground in (255, 200, 160):
        seen = pixels(as_seen(photographed(garment(1), ground=ground)))
        assert corners(seen) == 0
        assert seen.max() > 150


def test_the_noise_of_a_camera_hides_no_edge():
    photo = np.asarray(photographed(garment(1), ground=200), dtype=float)
    noisy = photo + np.random.default_rng(0).normal(0, 8, photo.shape[:2])[..., None]
    seen = pixels(as_seen(Image.fromarray(noisy.clip(0, 255).astype(np.uint8))))
    assert max(trimmed(seen).shape) >= SIDE - 2


def test_a_picture_of_the_data_set_stays_as_it_is_and_its_negative_becomes_it():
    image = sample_set().test_images[3, 0].numpy()
    for grey, negated in ((image, False), (255 - image, True)):
        seen = as_seen(Image.fromarray(grey).convert("RGB"))
        assert (seen.pixels, seen.negated, seen.plain) == (image.tobytes(), negated, False)


@pytest.mark.parametrize("size", [(28, 28), (1, 1), (300, 200)])
def test_a_picture_of_one_colour_is_plain(size):
    seen = as_seen(Image.new("RGB", size, "teal"))
    assert seen.plain


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32))
def test_every_size_becomes_28_by_28(width, height, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert len(as_seen(Image.fromarray(noise)).pixels) == SIDE**2


# Files

MODES = [("png", "L"), ("png", "LA"), ("png", "P"), ("png", "1"), ("png", "RGBA"), ("png", "I;16")]
MODES += [("jpeg", "CMYK"), ("jpeg", "RGB"), ("gif", "P"), ("bmp", "RGB"), ("webp", "RGBA")]


@pytest.mark.parametrize(("form", "mode"), MODES)
def test_every_kind_of_picture_is_read(form, mode, tmp_path):
    photo = photographed(garment(1), scale=4, room=(200, 180))
    if mode == "I;16":
        photo = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    else:
        photo = photo.convert(mode)
    photo.save(tmp_path / "photo", form)
    read = read_photo(tmp_path / "photo")
    assert (read.mode, read.size) == ("RGB", (200, 180))
    assert corners(pixels(as_seen(read))) <= 5


def test_what_is_transparent_is_white(tmp_path):
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "photo.png")
    assert read_photo(tmp_path / "photo.png").getpixel((5, 5)) == (255, 255, 255)


def test_a_photo_taken_with_the_camera_turned_is_upright(tmp_path):
    photo = Image.new("RGB", (40, 20), "white")
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: a quarter turn
    photo.save(tmp_path / "photo.jpg", exif=turned)
    assert read_photo(tmp_path / "photo.jpg").size == (20, 40)


def png(width, height, data=b""):
    """A PNG that claims a size."""

    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def small_png():
    written = io.BytesIO()
    photographed(garment(1), scale=2, room=(120, 100)).save(written, "png")
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is none of PNG, JPEG, WEBP, GIF, BMP"),
        (b"no picture", "it is none of PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "it is none of PNG"),
        (png(100_000, 100_000), "more than 60,000,000 pixels"),
        (png(9_000, 9_000), "more than 60,000,000 pixels"),
        (png(30_000, 30_000, zlib.compress(bytes(10**6))), "more than 60,000,000 pixels"),
        (small_png()[:-40], "it is damaged"),
        (png(50, 50, b"nonsense"), "it is damaged"),
        (bytes(MOST_BYTES + 1), "it is larger than 50,000,000 bytes"),
    ],
    ids=["empty", "text", "PostScript", "bomb", "large", "lying", "cut", "nonsense", "bytes"],
)
def test_what_is_no_usable_picture_is_one_sentence(content, said, tmp_path):
    (tmp_path / "photo.png").write_bytes(content)
    with pytest.raises(UsageError, match=said) as refused:
        read_photo(tmp_path / "photo.png")
    assert str(refused.value).startswith("Cannot read the picture ")


def test_no_pipe_or_folder_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "nothing"):
        with pytest.raises(UsageError, match="Cannot read the picture"):
            read_photo(path)
