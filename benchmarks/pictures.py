"""Photos and pictures of other things: what ``predict`` makes of them.

``python -m benchmarks.pictures RUN [--store STORE] [--data-dir DIR]`` asks a stored network on
Fashion-MNIST, and prints

* its accuracy on the first test images as they are and as photos are: enlarged, on a ground of
  another shade, with a camera's noise, with and without sharpening, subsampled or averaged;
* the share of test images, and of pictures of other things, that are not believed, by what 16, 32
  or 64 principal components leave over, and by the network's own certainty.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from matplotlib import cbook
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

from fashiontui import predict
from fashiontui.data import Dataset, load, photo
from fashiontui.data.dataset import split
from fashiontui.data.photo import as_seen
from fashiontui.engine.devices import Placement
from fashiontui.engine.step import forward
from fashiontui.export.weights import stored_network
from fashiontui.paths import data_folders, default_store
from fashiontui.predict import ALIKE, Likeness
from fashiontui.store import Store

PHOTOS = 300
OTHERS = 100
CPU = Placement(torch.device("cpu"), "fp32", 1)
Array = np.ndarray


def photographed(image: Array, ground: int, light: bool, noise: float, random: np.random.Generator):
    """A test image as a photo of 600×800: enlarged 18 times, on a ground, with noise."""
    large = Image.fromarray(image).resize((504, 504), Image.Resampling.BICUBIC)
    share = np.asarray(large, dtype=float) / 255
    room = np.full((800, 600), float(ground))
    room[148:652, 48:552] = ground * (1 - share) if light else ground + (255 - ground) * share
    return _picture(room + random.normal(0, noise, room.shape) if noise else room)


def others(random: np.random.Generator) -> dict[str, Callable[[], Image.Image]]:
    """Makers of pictures that are no garments."""
    portrait = Image.open(cbook.get_sample_data("grace_hopper.jpg")).convert("RGB")
    y, x = np.mgrid[0:300, 0:300] / 300

    def blobs() -> Image.Image:
        coarse = Image.fromarray(random.normal(128, 60, (9, 9)).clip(0, 255).astype(np.uint8))
        return coarse.resize((300, 300), Image.Resampling.BICUBIC).convert("RGB")

    def shade() -> Image.Image:
        slope = random.normal(0, 1, 2)
        ramp = slope[0] * x + slope[1] * y
        return _picture(255 * (ramp - ramp.min()) / np.ptp(ramp))

    def stripes() -> Image.Image:
        turned = random.uniform(0, np.pi)
        wave = np.sin((np.cos(turned) * x + np.sin(turned) * y) * random.uniform(10, 100))
        return _picture(127 + 127 * np.sign(wave))

    def letter() -> Image.Image:
        page = Image.new("L", (300, 300), 255)
        sign = chr(random.choice([*range(48, 58), *range(65, 91), *range(97, 123)]))
        font = ImageFont.load_default(int(random.integers(100, 240)))
        ImageDraw.Draw(page).text((60, 20), sign, fill=int(random.integers(0, 120)), font=font)
        return page.convert("RGB")

    def shape() -> Image.Image:
        page, fill = Image.new("L", (300, 300), 255), int(random.integers(0, 180))
        draw, at = ImageDraw.Draw(page), random.uniform(30, 270, 6)
        (left, right), (top, bottom) = sorted(at[:2]), sorted(at[2:4])
        box = (left, top, right + 20, bottom + 20)
        match random.integers(3):
            case 0:
                draw.ellipse(box, fill=fill)
            case 1:
                draw.rectangle(box, fill=fill)
            case _:
                draw.polygon(at.tolist(), fill=fill)
        return page.convert("RGB")

    def cutting() -> Image.Image:
        side = int(random.integers(80, 400))
        left = int(random.integers(0, portrait.width - side))
        top = int(random.integers(0, portrait.height - side))
        return portrait.crop((left, top, left + side, top + side))

    return {
        "noise": lambda: _picture(random.integers(0, 256, (300, 300))),
        "blobs": blobs,
        "smooth shades": shade,
        "stripes": stripes,
        "letters, digits": letter,
        "simple shapes": shape,
        "cuttings of a portrait": cutting,
        "one colour": lambda: Image.new(
            "RGB", (90, 90), tuple(random.integers(0, 256, 3).tolist())
        ),
    }


def print_photos(network: nn.Module, data: Dataset) -> None:
    """Accuracy on test images as they are, and as photos."""
    images, labels = data.test_images[:PHOTOS, 0].numpy(), data.test_labels[:PHOTOS]
    kinds = {
        "light ground": (253, True, 0.0),
        "dark ground": (0, False, 0.0),
        "grey ground, noise 8": (200, True, 8.0),
    }
    print(f"{PHOTOS} test images as they are: {_accuracy(network, images, labels):.1f}%")
    print(f"{'as photos':<28}" + "".join(f"{kind:>24}" for kind in kinds))
    for way, sharpened, averaged in (
        ("as in the paper", True, False),
        ("not sharpened", False, False),
        ("averaged", False, True),
        ("averaged, sharpened", True, True),
    ):
        print(f"{way:<28}", end="", flush=True)
        for ground, light, noise in kinds.values():
            random = np.random.default_rng(1)
            with _otherwise(sharpened, averaged):
                seen = [
                    _pixels(photographed(image, ground, light, noise, random)) for image in images
                ]
            print(f"{_accuracy(network, np.stack(seen), labels):>23.1f}%", end="", flush=True)
        print()


def print_others(network: nn.Module, data: Dataset, split_seed: int) -> None:
    """Who is not believed, by which rule."""
    random = np.random.default_rng(1)
    made = {
        kind: torch.from_numpy(np.stack([_pixels(make()) for _ in range(OTHERS)])).unsqueeze(1)
        for kind, make in others(random).items()
    }
    pictures: dict[str, Tensor] = {"test images": data.test_images, **made}
    rules: dict[str, Callable[[Tensor], Tensor]] = {}
    for components in (16, 32, 64):
        with patch.object(predict, "COMPONENTS", components):
            likeness = Likeness(data, split_seed)
        rules[f"{components} components"] = _beyond(likeness.left_over, likeness.limit)
    _, validation = split(data.labels, split_seed)
    certainty = _certainty(network, data.images[validation]).quantile(1 - ALIKE).item()
    rules["certainty"] = lambda images: _certainty(network, images) < certainty
    rules["below 50%"] = lambda images: _certainty(network, images) < predict.UNSURE
    print(f"{'not believed':<24}" + "".join(f"{rule:>16}" for rule in rules))
    for kind, images in pictures.items():
        shares = (100 * rule(images).float().mean().item() for rule in rules.values())
        print(f"{kind:<24}" + "".join(f"{share:>15.1f}%" for share in shares))


def _beyond(measure: Callable[[Tensor], Tensor], limit: float) -> Callable[[Tensor], Tensor]:
    return lambda images: measure(images) > limit


def _certainty(network: nn.Module, images: Tensor) -> Tensor:
    return _logits(network, images).softmax(1).amax(1)


def _accuracy(network: nn.Module, images: Array, labels: Tensor) -> float:
    found = _logits(network, torch.from_numpy(images).unsqueeze(1)).argmax(1)
    return 100 * (found == labels).float().mean().item()


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    with torch.inference_mode():
        return torch.cat([forward(network, some, CPU) for some in images.split(1000)])


def _picture(values: Array) -> Image.Image:
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")


def _pixels(picture: Image.Image) -> Array:
    return np.frombuffer(as_seen(picture).pixels, dtype=np.uint8).reshape(28, 28)


@contextmanager
def _otherwise(sharpened: bool, averaged: bool) -> Iterator[None]:
    """Resize pictures in another way than the paper's."""
    kernel = photo.SHARPEN if sharpened else (0, 0, 0, 0, 1, 0, 0, 0, 0)
    way = Image.Resampling.BOX if averaged else Image.Resampling.NEAREST
    with patch.object(photo, "SHARPEN", kernel), patch.object(photo, "RESAMPLING", way):
        yield


def main() -> None:
    """Ask the run that is named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run")
    options.add_argument("--store", default=default_store())
    options.add_argument("--data-dir", type=Path)
    chosen = options.parse_args()
    with closing(Store(chosen.store)) as store:
        record = store.get(chosen.run)
        network = stored_network(store, record)
    data = load("fashion-mnist", data_folders(chosen.data_dir), print)
    print(f"{record.spec.title}, run {record.id}, {record.test_accuracy:.2f}% on the test set\n")
    print_photos(network, data)
    print()
    print_others(network, data, record.spec.split_seed)


if __name__ == "__main__":
    main()
