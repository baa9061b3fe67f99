"""What ``fuzz`` calls: each parser of the program, from bytes, with valid inputs and telling words.

Text comes as bytes that the system hands to programs: what is no UTF-8 becomes lone surrogates.
"""

import gzip
import io
import json
import os
import struct
import zlib
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import msgspec
import torch
from PIL import Image
from textual.binding import BindingsMap

from fashiontui import batch, cli, entry, paths
from fashiontui.config import check_keymap, load_config
from fashiontui.data import fashion_mnist
from fashiontui.data.idx import read_images, read_labels
from fashiontui.data.photo import as_seen, read_photo
from fashiontui.data.sample import sample_set
from fashiontui.domain.budget import parse_budget, solve
from fashiontui.domain.errors import ExitCode, UsageError
from fashiontui.domain.events import EpochEnded
from fashiontui.domain.plan import parse_shape, plan, shaped_network
from fashiontui.domain.recipe import Settings, builtin_recipes, load_recipe
from fashiontui.domain.shapes import FAMILIES
from fashiontui.domain.space import parse_space
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.study import plan_study
from fashiontui.domain.sweep import parse_sweep
from fashiontui.engine import Placement, begin, train
from fashiontui.engine.checkpoint import restore, state_bytes
from fashiontui.engine.measure import _recall
from fashiontui.runner import run
from fashiontui.store import Store
from fashiontui.store.store import MEMORY
from fashiontui.store.transfer import export_runs, import_runs
from fashiontui.tui.choice import Choice, load_choice
from fashiontui.tui.keys import LAB_KEYS

CPU = Placement(torch.device("cpu"), "fp32", 1)
SAMPLE = sample_set()
_RECIPE_FOLDER = Path(batch.__file__).parent / "recipes"
RECIPES = [
    b"[settings]\nepochs = 3\nlr = 0.5\noptimizer = 'sgd'\n",
    b"description = 'x'\n[[case]]\nfamily = 'cnn'\nweights_up_to = 9\nsettings = { lr = 0.1 }\n",
    *((_RECIPE_FOLDER / f"{name}.toml").read_bytes() for name in builtin_recipes()),
]
RECIPE_WORDS = [
    *(name.encode() for name in Settings.__struct_fields__),
    *(b"[settings]\n", b"[[case]]\n", b"settings = { epochs = 1 }\n", b"family = 'cnn'\n"),
    *(b"weights_up_to = ", b"'sgd'", b"\n[settings.epochs]\n", b"name = 'x'\n", b"description"),
]
SPACES = [
    b"shares = [0.5, 1.0]\n[settings]\nlr = { low = 1e-4, high = 1e-1, log = true }\n",
    b"[settings]\nepochs = [2, 4]\noptimizer = ['adam', 'sgd']\nactivation = ['relu', 'tanh']\n",
    (Path(batch.__file__).parent / "spaces" / "settings.toml").read_bytes(),
]
PLANS = [
    b"[[grid]]\nmodels = ['fcn-50k', 'cnn-10k']\nrecipes = ['fast', 'best']\nseeds = '0-4'\n",
    b"[[grid]]\narchs = ['fcn', 'cnn']\nbudgets = ['10k', '37k']\n[grid.settings]\nlr = [0.1, 1]\n",
]
SEARCH_WORDS = [
    *RECIPE_WORDS,
    *(b"[0.1, 0.2]", b"{ low = 1, high = 9 }", b"log = true", b"shares = ", b"[[grid]]\n"),
    *(
        b"archs = ['fcn']\n",
        b"shapes = ['112,106']\n",
        b"seeds = '1-999999999'\n",
        b"[grid.settings]",
    ),
]
CONFIGS = [
    b"theme = 'x'\n",
    b"theme = 'okabe-ito'\nmarker = 'hd'\n[keymap]\n'lab.train' = 'ctrl+t'\n",
    b"",
]
KEYMAPS = [
    b"[keymap]\n'lab.train' = 'ctrl+t,f12'\n'lab.stop' = 'x'\n",
    b"[keymap]\n'lab.zoom_in' = 'plus'\n'lab.filter' = 'slash'\n",
]
CONFIG_WORDS = [
    *(f"'{key.id}' = 'ctrl+a'\n".encode() for key in LAB_KEYS[:8]),
    *(b"theme = ", b"marker = ", b"[keymap]\n", b"'t,t'", b"'ctrl+'", b"' '", b"','", b"'[/]'"),
]
CHOICES = [
    msgspec.json.format(msgspec.json.encode(Choice()), indent=1),
    msgspec.json.encode(
        Choice(arch="cnn", shape=(40, 64), overrides={"lr": "0.1"}, pinned="5eed", dataset="sample")
    ),
]
CHOICE_WORDS = [b'"arch"', b'"cnn"', b'"shape": [1]', b'"threads": 1', b'"precision": "bf16"', b":"]
MEASURED = [
    json.dumps({"cpu|torch 2.9|batch 256": {"precision": "bf16", "threads": 2}}).encode(),
    json.dumps({"cpu": {"precision": "fp32", "threads": 1, "kernels": "rows"}}).encode(),
]


def _idx(kind: int, *sizes: int, content: bytes) -> bytes:
    return struct.pack(f">{1 + len(sizes)}I", kind, *sizes) + content


IDX_IMAGES = [_idx(0x0803, 2, 28, 28, content=bytes(2 * 784))]
IDX_LABELS = [_idx(0x0801, 4, content=bytes(range(4)))]
IDX_WORDS = [
    *(bytes(1), bytes(784), b"\x00\x00\x08\x03", b"\x00\x00\x08\x01", b"\x00\x00\x0d\x03"),
    *(b"\x00\x00\x00\x1c", b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00"),
]
ARCHIVES = [gzip.compress(content, mtime=0) for content in IDX_IMAGES]
CHECKPOINT_WORDS = [
    *(b'"F32"', b'"I64"', b'"shape":[', b'"data_offsets":[0,', b'\\"step\\":', b"__metadata__"),
    *(b"\x00" * 8, b"\xff" * 8, b"generator", b"order", b"model.", b"optimizer.0.exp_avg"),
]
STORE_WORDS = [
    *(b"finished", b"running", b"0123456789ab", b"CREATE TRIGGER t AFTER INSERT ON runs BEGIN "),
    *(
        b"alembic_version",
        b"SQLite format 3\0",
        b"\x10\x00",
        b"\x00\x01",
        b"1e999",
        b'{"arch":"fcn"',
    ),
]
BOMBS = [gzip.compress(bytes(100_000_000), mtime=0), zlib.compress(bytes(1000))]
"""A hundred megabytes in a hundred kilobytes; another packing of the same kind."""


def _pictures() -> list[bytes]:
    """A small picture in every format that is read."""
    made = []
    for form in ("png", "jpeg", "webp", "gif", "bmp"):
        written = io.BytesIO()
        picture = Image.fromarray(SAMPLE.test_images[3, 0].numpy()).resize((40, 60))
        picture.convert("RGB").save(written, form)
        made.append(written.getvalue())
    return made


PICTURE_WORDS = [
    *(b"IHDR", b"IDAT", b"iCCP", b"eXIf", b"\xff\xd8", b"\xff\xda", b"\xff\xe1\x00\x10Exif\0\0"),
    *(b"\x00\x01\x86\xa0", b"\x7f\xff\xff\xff", b"RIFF", b"WEBPVP8X", b"GIF89a", b"BM"),
]


def _stored_run(file: Path) -> bytes:
    """A store with one finished run, as a file."""
    spec = RunSpec(arch="fcn", shape=(2,), recipe="made", settings=Settings(epochs=1))
    with closing(Store(str(file))) as store:
        list(run(spec, SAMPLE, CPU, store))
        export_runs(store, file.with_suffix(".exported"), [])
    return file.with_suffix(".exported").read_bytes()


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


class Targets:
    """Parsers that read files have them in one folder, beside files nobody should read."""

    def __init__(self, folder: Path) -> None:
        """Args:
        folder: Where files are made.
        """
        self._recipes = folder / "recipes"
        self._recipes.mkdir()
        self._file = self._recipes / "input.toml"
        (self._recipes / "own.toml").write_text("[settings]\nepochs = 3", encoding="utf-8")
        (folder / "secret.toml").write_text("description = 'secret'", encoding="utf-8")
        os.mkfifo(self._recipes / "pipe.toml")
        (self._recipes / "zero.toml").symlink_to("/dev/zero")
        (self._recipes / "loop.toml").symlink_to("loop.toml")
        (self._recipes / "folder.toml").mkdir()
        with (self._recipes / "huge.toml").open("wb") as file:
            file.truncate(2**40)  # sparse
        self.paths = [
            *(name.encode() for name in ("pipe", "zero", "loop", "folder", "huge", "input")),
            *(os.fsencode(path) for path in self._recipes.iterdir()),
            *(b"../secret", os.fsencode(folder / "secret"), b"\0.toml", b".toml", b"/dev/stdin"),
        ]
        self._checkpoint = folder / "input.safetensors"
        self._spec = RunSpec(arch="fcn", shape=(2,), recipe="made", settings=Settings(epochs=2))
        state = begin(self._spec, CPU)
        next(event for event in train(state, SAMPLE) if isinstance(event, EpochEnded))
        self.checkpoints = [state_bytes(state)]
        self._picture = folder / "input.png"
        self.pictures = _pictures()
        self._imported = folder / "imported.sqlite3"
        self.stores = [_stored_run(folder / "valid.sqlite3")]
        options = [
            option
            for parameter in cli.typer.main.get_command(cli.app).params
            for option in parameter.opts
        ]
        self.options = [
            *(option.encode() for option in options),
            *(b"\0", b"models", b"fcn", b"cnn", b"50k", b"112,106", b"3", b"0.5", b"fcn-50k"),
        ]
        self.commands = [
            b"--batch\0--model\0fcn-50k\0--seeds\x003\0--epochs\x001\0--lr\x000.01\0--json",
            b"--batch\0--arch\0cnn\0--budget\x0037k\0--recipe\0best\0--dropout\x000.2\0--augment\0flip",
            b"--batch\0--hidden\x00112,106\0--threads\x002\0--precision\0fp32\0--device\0cpu\0--csv",
            b"--batch\0--data\0sample\0--data-dir\0~/x\0--store\0x.sqlite3\0--optimizer\0sgd",
            b"models\0--arch\0cnn\0--budget\x0037k\0--json",
            b"--version",
        ]

    def budget(self, content: bytes) -> None:
        """A budget, solved for every family."""
        budget = parse_budget(_text(content))
        for family in FAMILIES.values():
            if budget >= family.weights(family.spread(1, 1)):
                solve(family, budget)

    def shape(self, content: bytes) -> None:
        """A shape of any family, planned."""
        shape = parse_shape(_text(content))
        recipe = load_recipe("fast", self._recipes)
        refused: list[UsageError] = []
        for arch in FAMILIES:
            try:
                plan([shaped_network(arch, shape, None)], recipe, {}, [0])
            except UsageError as error:
                refused.append(error)
        if len(refused) == len(FAMILIES):
            raise refused[0]

    def recipe(self, content: bytes) -> None:
        """A recipe file, and the settings it has for a few networks."""
        self._file.write_bytes(content)
        recipe = load_recipe(str(self._file), self._recipes)
        for arch in FAMILIES:
            for weights in (1, 20_000, 10**7):
                recipe.settings_for(arch, weights)

    def space(self, content: bytes) -> None:
        """A search space, with the study that it makes."""
        space = parse_space(_text(content), "input")
        plan_study("fcn", 10_000, space, load_recipe("fast", self._recipes)).choices()

    def sweep(self, content: bytes) -> None:
        """A plan of grids, with the runs that it names."""
        sweep = parse_sweep(_text(content), "input")
        sweep.specs({name: load_recipe(name, self._recipes) for name in sweep.recipe_names()})

    def recipe_name(self, content: bytes) -> None:
        """A recipe's name, which must not lead out of the folder."""
        name = _text(content)
        recipe = load_recipe(name, self._recipes)
        assert recipe.description != "secret" or name.endswith(".toml"), "it left the folder"

    def config(self, content: bytes) -> None:
        """The user's settings of the app."""
        self._file.write_bytes(content)
        load_config(self._file)

    def keymap(self, content: bytes) -> None:
        """Settings with keys, put over the main screen's."""
        self._file.write_bytes(content)
        config = load_config(self._file)
        check_keymap(config, {key.id for key in LAB_KEYS if key.id})
        BindingsMap(LAB_KEYS).apply_keymap(config.keymap)

    def choice(self, content: bytes) -> None:
        """What was chosen the last time."""
        self._file.write_bytes(content)
        _, notice = load_choice(self._file)
        if notice is not None:
            raise UsageError(notice)

    def measurements(self, content: bytes) -> None:
        """What was measured of the machine's speed; what cannot be used is ignored."""
        self._file.write_bytes(content)
        if not _recall(self._file):
            raise UsageError("The measurements are ignored.")

    def command_line(self, content: bytes) -> None:
        """A whole command, up to the training of what it asks for."""
        arguments = [_text(part) for part in content.split(b"\0")]
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.object(batch, "run_batch", lambda specs, **_: ExitCode.DONE),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = entry.run(arguments)
        out.getvalue().encode("utf-8")  # what cannot be written would fail here
        if code != ExitCode.DONE:
            [line] = err.getvalue().splitlines()
            assert line.startswith("fashiontui: "), line
            raise UsageError(line)

    def idx_images(self, content: bytes) -> None:
        """Images, packed correctly."""
        read_images(gzip.compress(content, 1))

    def idx_labels(self, content: bytes) -> None:
        """Labels, packed correctly."""
        read_labels(gzip.compress(content, 1))

    def archive(self, content: bytes) -> None:
        """Images, packed in any way."""
        read_images(content)

    def checkpoint(self, content: bytes) -> object:
        """A file that a run is to be continued from."""
        self._checkpoint.write_bytes(content)
        return restore(self._checkpoint, self._spec, CPU, SAMPLE)

    def picture(self, content: bytes) -> None:
        """A picture that a network is asked about."""
        self._picture.write_bytes(content)
        as_seen(read_photo(self._picture))

    def imported_runs(self, content: bytes) -> object:
        """Another store's file."""
        self._imported.write_bytes(content)
        with closing(Store(MEMORY)) as store:
            return import_runs(store, str(self._imported))

    def data_folder(self, content: bytes) -> None:
        """A folder named with --data-dir or in the app."""
        fashion_mnist.find(paths.data_folders(Path(_text(content))))
