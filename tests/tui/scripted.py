"""An app without training: stored runs, and runs whose events are made by formulas."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import exp, sin
from pathlib import Path

from fashiontui.config import Config
from fashiontui.domain.events import (
    EpochEnded,
    Event,
    FirstLayer,
    LayerStatistics,
    Predictions,
    Progress,
    RunFinished,
    RunStarted,
    Status,
)
from fashiontui.domain.plan import Network, named_network, plan, solved_network
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.spec import RunSpec
from fashiontui.store.store import MEMORY, Store
from fashiontui.tui.app import FashionTui
from fashiontui.tui.choice import Choice
from fashiontui.tui.messages import DataFound, Device, JobBegan, JobOver, RunEvent, TorchLoaded
from fashiontui.tui.terminal import Glyphs

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
DEVICES = (Device("cuda:0", "NVIDIA H200", 139.8), Device("cpu", "AMD EPYC", 64.0))
STEPS_PER_EPOCH = 210
TICKS_PER_EPOCH = 12
RECIPES = Path("/nonexistent")
FAST = str(Path(__file__).parent / "recipes" / "fast.toml")
"""A recipe of that name which stays as it is, so that the screens do."""
LOOK_ALIKES = (
    (6, 3, 2), (3, 6, 4), (4, 6, 0), (0, 4, 6), (2, 6, 3),
    (7, 9, 8), (0, 2, 4), (9, 5, 8), (6, 0, 5), (7, 5, 8),
)  # fmt: skip
"""Classes that each class is taken for."""
NO_DATA_FOLDER = Path("/nonexistent/data")


class ScriptedApp(FashionTui):
    """The app without its training thread; a script posts what that would."""

    def __init__(
        self,
        choice: Choice | None = None,
        config: Config | None = None,
        glyphs: Glyphs = Glyphs.ALL,
    ) -> None:
        choice, config = choice or Choice(), config or Config(theme=None)
        super().__init__(MEMORY, "auto", [NO_DATA_FOLDER], choice, config, glyphs=glyphs)

    def _start_training_thread(self) -> None:
        self.lab.post_message(TorchLoaded(DEVICES))
        self.lab.post_message(DataFound("fashion-mnist", Path("data/FashionMNIST/raw")))

    def play(self, spec: RunSpec, epochs: int, ending: Status = Status.RUNNING) -> None:
        """Post what the training thread would for a run that gets so far."""
        self.queue.add([spec])
        job = self.queue.take()
        assert job is not None
        self.lab.post_message(JobBegan(job))
        for event in story("5eed", spec, epochs, ending):
            self.lab.post_message(RunEvent(job, event))
        if ending is not Status.RUNNING:
            self.queue.done(job)
            self.lab.post_message(JobOver(job, stopped=ending is Status.STOPPED))


def spec_of(network: Network, recipe: str = "fast", seed: int = 0, **settings: object) -> RunSpec:
    """One run of a network on Fashion-MNIST."""
    where = {"device": "cuda:0", "precision": "bf16"}
    chosen = load_recipe(FAST if recipe == "fast" else recipe, RECIPES)
    return plan([network], chosen, settings, [seed], **where)[0]


def story(run_id: str, spec: RunSpec, epochs: int, ending: Status) -> Iterator[Event]:
    """The events of a run that finishes so many epochs; the next is under way if it runs on."""
    planned = spec.settings.epochs
    yield RunStarted(
        run_id, spec, spec.weights, planned * STEPS_PER_EPOCH, "cuda:0", "NVIDIA H200", "bf16", 1,
        "torch", {"fashiontui": "0.1.0", "torch": "2.6.0"},
    )  # fmt: skip
    for epoch in range(1, epochs + 2):
        last = epoch == epochs + 1
        if last and ending is not Status.RUNNING:
            break
        for tick in range(1, (TICKS_PER_EPOCH // 2 if last else TICKS_PER_EPOCH) + 1):
            done = epoch - 1 + tick / TICKS_PER_EPOCH
            yield Progress(
                run_id, round(done * STEPS_PER_EPOCH), done, _train_loss(done, spec), 4e-3,
                8_213 + 300 * sin(7 * done), 2.1 * done,
            )  # fmt: skip
        if not last:
            yield _epoch(run_id, spec, epoch)
            yield _first_layer(run_id, spec, epoch)
    if ending is Status.FAILED:
        cause = "The loss is no longer a finite number; train again with a lower learning rate."
        yield RunFinished(run_id, ending, cause, 2.1 * epochs, 2.3 * epochs)
    elif ending is Status.FINISHED:
        made = _predictions(_accuracy(epochs, spec) - 0.4)
        yield RunFinished(
            run_id,
            ending,
            None,
            2.1 * epochs,
            2.3 * epochs,
            made,
            made,
            sha256(run_id.encode()).hexdigest(),
        )


def fill(store: Store, runs: int = 6) -> None:
    """Store runs that have finished, and one that failed."""
    names = ("cnn-50k", "fcn-100k", "cnn-20k", "fcn-50k", "cnn-10k", "fcn-200k")
    for number in range(runs):
        recipe = "best" if number % 3 == 0 else "fast"
        network = named_network(names[number % len(names)])
        if number == 4:
            network = solved_network("cnn", 37_000)
        spec = spec_of(network, recipe, seed=number // 6)
        ending = Status.FAILED if number == 3 else Status.FINISHED
        epochs = 2 if number == 3 else spec.settings.epochs
        run_id = f"{number:012x}"
        for event in story(run_id, spec, epochs, ending):
            match event:
                case RunStarted():
                    store.begin(event)
                case EpochEnded():
                    store.add_epoch(event)
                case FirstLayer():
                    store.add_inside(event)
                case RunFinished():
                    store.end(event)
    _set_dates(store)


def fill_seeds(store: Store, seeds: int = 5) -> None:
    """Store several seeds of three networks, two of which noise may have ordered, and one run."""
    asked = [
        spec_of(named_network(name), seed=seed)
        for name in ("fcn-100k", "fcn-50k", "cnn-20k")
        for seed in range(seeds)
    ]
    for number, spec in enumerate([*asked, spec_of(named_network("cnn-10k"))]):
        for event in story(f"5eed{number:08x}", spec, spec.settings.epochs, Status.FINISHED):
            match event:
                case RunStarted():
                    store.begin(event)
                case EpochEnded():
                    store.add_epoch(event)
                case RunFinished():
                    store.end(event)
    _set_dates(store)


def _set_dates(store: Store) -> None:
    """Give the runs fixed dates: the store stamps them with the time of day."""
    for number, record in enumerate(sorted(store.runs(), key=lambda run: run.id)):
        whole = store.get(record.id)
        store.delete(record.id)
        object.__setattr__(whole, "created", NOW - timedelta(hours=7 * number + 1))
        store.restore(whole)


def _accuracy(epoch: float, spec: RunSpec) -> float:
    best = 91.6 if spec.arch == "cnn" else 90.1
    best += min(spec.weights, 100_000) / 200_000
    luck = 0.3 * sin(spec.seed * (2 + spec.weights % 11))
    return best - 9 * exp(-0.55 * epoch) + 0.25 * sin(2.3 * epoch) + luck


def _train_loss(done: float, spec: RunSpec) -> float:
    return 1.9 * exp(-1.1 * done) + 0.46 * exp(-0.12 * done) + 0.015 * sin(23 * done)


def _epoch(run_id: str, spec: RunSpec, epoch: int) -> EpochEnded:
    val_loss = 0.24 + 0.42 * exp(-0.6 * epoch) + 0.012 * sin(2 * epoch)
    return EpochEnded(
        run_id, epoch, _train_loss(epoch - 0.5, spec), val_loss, _accuracy(epoch, spec), 4e-3,
        8_213.0, 2.1 * epoch,
    )  # fmt: skip


def _first_layer(run_id: str, spec: RunSpec, epoch: int) -> FirstLayer:
    side = 5 if spec.arch == "cnn" else 28
    count = min(64, spec.shape[0])
    pixels = bytes(
        round(127 * sin(0.9 * (picture + 1) * (x / side) + (picture % 7) * y / side)) % 256
        for picture in range(count)
        for y in range(side)
        for x in range(side)
    )
    layers = tuple(
        LayerStatistics(
            layer.name, layer.output[0], 0.002 * sin(epoch + place), 0.08 + 0.01 * place * epoch,
            0.4 + 0.1 * sin(place), 0.7 + 0.02 * epoch, max(0, epoch - 4) if place == 0 else 0,
        )
        for place, layer in enumerate(spec.family.layers(spec.shape))
    )  # fmt: skip
    return FirstLayer(run_id, epoch, count, side, pixels, layers)


def _predictions(accuracy: float, images: int = 10_000) -> Predictions:
    labels = bytes(i % 10 for i in range(images))
    wrong = round(images * (1 - accuracy / 100))
    step = images // max(1, wrong)
    predicted = bytearray(labels)
    for i in range(wrong):
        at = (i * step + i % 3) % images
        predicted[at] = LOOK_ALIKES[labels[at]][i * i % 7 % 3]
    shares = bytearray(10 * images)
    for at, (label, taken) in enumerate(zip(labels, predicted, strict=True)):
        sure = 255 - (at * at + 13 * at) % 140
        second = label if taken != label else LOOK_ALIKES[label][at % 3]
        shares[10 * at + taken], shares[10 * at + second] = sure, 255 - sure
    return Predictions(bytes(predicted), labels, bytes(shares))
