"""Many seeds of one network trained at once: on a GPU, one small network leaves most of it idle.

Each seed learns as it would alone, from its own first weights, order of images, augmentation and
dropout; only sums are rounded otherwise. On CUDA a whole optimiser step is one graph, recorded
once, because starting its hundreds of small kernels one by one takes longer than they do.
"""

import logging
from collections.abc import Generator, Mapping
from contextlib import closing
from time import monotonic

import torch
from msgspec import structs
from torch import Tensor
from torch.nn import functional as F

from fashiontui.data import Dataset
from fashiontui.data.augment import augmented, mixed
from fashiontui.data.dataset import split
from fashiontui.domain.events import Event, FirstLayer, Progress, RunFinished, RunStarted, Status
from fashiontui.domain.spec import RunSpec
from fashiontui.engine.state import TrainingState
from fashiontui.engine.step import forward, lr_at, trainable
from fashiontui.engine.train import TICK_SECONDS
from fashiontui.engine.training import cause_of, events_of
from fashiontui.engine.uncompiled import take_step
from fashiontui.models.stacked import stacked

MOST = 32
"""Most seeds in one stack."""
WARM_UP = 3
"""Steps taken before one is recorded: libraries choose their algorithms in the first ones."""

_log = logging.getLogger(__name__)


def stackable(one: RunSpec, other: RunSpec) -> bool:
    """Whether two specs can be trained in one stack: they differ in their seeds alone."""
    return one == structs.replace(other, seed=one.seed)


def pays_on(device: torch.device) -> bool:
    """Whether seeds shall be trained at once there; one of them keeps a CPU busy."""
    return device.type == "cuda"


def train_stack(states: Mapping[str, TrainingState], data: Dataset) -> Generator[Event, None, None]:
    """Train the runs of several seeds to their ends, and score each; events come as of one run.

    A run's seconds are its share of the stack's. A run that fails tells so, and the others go on.
    When memory runs out the stack is split, and both halves go on from the last epoch. Closing the
    generator stops all of them at the next batch; at every yield each state is that of a run
    between two epochs, and after closing, of one between two batches.

    Args:
        states: By run id; each before its first batch, with one placement, of specs that are
            ``stackable``.
        data: On the placement's device.
    """
    for run_id, state in states.items():
        with closing(events_of(run_id, state, data)) as events:
            yield next(events)
    yield from _to_the_end(dict(states), data)


def _to_the_end(states: dict[str, TrainingState], data: Dataset) -> Generator[Event, None, None]:
    """Train from between two epochs on; the runs have started."""
    placement = next(iter(states.values())).placement
    drawn = [state.net.generator.get_state() for state in states.values()]
    try:
        stack = _Stack(states, data)
        going = dict(states)
        while going:
            drawn = [state.net.generator.get_state() for state in states.values()]
            yield from stack.epoch(list(going))
            for run_id, state in list(going.items()):
                if (yield from _scored(run_id, state, data)):
                    del going[run_id]
        return
    except (torch.OutOfMemoryError, MemoryError) as error:
        cause = cause_of(error, placement)
    del stack
    if placement.device.type == "cuda":
        torch.cuda.empty_cache()
    for state, before in zip(states.values(), drawn, strict=True):
        state.net.generator.set_state(before)
    runs = list(going.items())
    if len(runs) == 1:
        [(run_id, state)] = runs
        yield RunFinished(run_id, Status.FAILED, cause, state.seconds, state.seconds)
        return
    half = len(runs) // 2
    _log.warning("Out of memory with %d seeds at once; going on with %d.", len(runs), half)
    yield from _to_the_end(dict(runs[:half]), data)
    yield from _to_the_end(dict(runs[half:]), data)


def _scored(run_id: str, state: TrainingState, data: Dataset) -> Generator[Event, None, bool]:
    """End the epoch, or the run, of one seed whose batches are done; whether the run is over."""
    with closing(events_of(run_id, state, data)) as events:
        for event in events:
            if not isinstance(event, RunStarted):
                yield event
            if isinstance(event, RunFinished):
                return True
            if isinstance(event, FirstLayer) and state.epochs < state.spec.settings.epochs:
                return False
    raise AssertionError("a run ends with RunFinished")


class _Stack:
    """The networks of several runs as one, with one optimiser."""

    def __init__(self, states: Mapping[str, TrainingState], data: Dataset) -> None:
        self._states = states
        self._data = data
        first = next(iter(states.values()))
        self._settings, self._placement = first.spec.settings, first.placement
        self._training, _ = split(data.labels, first.spec.split_seed)
        self._batch = min(self._settings.batch_size, len(self._training))
        self._generators = [state.net.generator for state in states.values()]
        model = stacked([state.net.model for state in states.values()])
        self._net = trainable(
            model, self._settings, self._placement, self._generators[0], len(states)
        )
        self._read_optimisers()
        device = self._placement.device
        self._lr: Tensor | None = None
        if device.type == "cuda":  # a graph reads the rate from memory
            self._lr = torch.zeros((), device=device)
            for group in self._net.optimizer.param_groups:
                group["lr"] = self._lr
                if "capturable" in group:
                    group["capturable"] = True
        self._chosen = torch.zeros(len(states), self._batch, dtype=torch.int64, device=device)
        self._losses = torch.zeros(len(states), device=device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._steps = 0

    def epoch(self, told: list[str]) -> Generator[Event, None, None]:
        """Train all runs for an epoch, up to its validation.

        Args:
            told: Ids of the runs whose progress is told; the others have failed.
        """
        self._placement.apply()
        states, settings = list(self._states.values()), self._settings
        count = len(self._training) // self._batch
        first_step, steps = states[0].step, settings.epochs * count
        orders = []
        for state in states:
            shuffled = torch.randperm(
                len(self._training), generator=state.net.generator, device=self._placement.device
            )
            orders.append(self._training[shuffled])
        order = torch.stack(orders)
        self._losses.zero_()
        began = tick = monotonic()
        ticked, ticked_losses = 0, self._losses.clone()
        done = 0
        try:
            for done in range(1, count + 1):
                lr = lr_at(first_step + done - 1, steps, settings)
                self._step(order[:, (done - 1) * self._batch : done * self._batch], lr)
                now = monotonic()
                if now - tick < TICK_SECONDS:
                    continue
                losses = ((self._losses - ticked_losses) / (done - ticked)).tolist()  # waits
                speed = (done - ticked) * self._batch / (now - tick)
                for run_id, state, loss in zip(self._states, states, losses, strict=True):
                    if run_id in told:
                        seconds = state.seconds + (now - began) / len(states)
                        step = first_step + done
                        yield Progress(run_id, step, step / count, loss, lr, speed, seconds)
                tick, ticked = monotonic(), done
                ticked_losses.copy_(self._losses)
            self._placement.synchronize()
        except GeneratorExit:
            self._write(order, first_step + done, monotonic() - began)
            raise
        self._write(order, first_step + count, monotonic() - began)

    def _step(self, chosen: Tensor, lr: float) -> None:
        """Train every network on its own batch."""
        self._chosen.copy_(chosen)
        if self._lr is None:
            for group in self._net.optimizer.param_groups:
                group["lr"] = lr
        else:
            self._lr.fill_(lr)
        if self._steps == WARM_UP and self._lr is not None and self._net.average is None:
            self._record()  # a moving average asks the device how old it is, at every step
        if self._graph is not None:
            self._graph.replay()
        else:
            self._compute()
        self._steps += 1

    def _record(self) -> None:
        """Record a step as a CUDA graph; recording computes nothing."""
        graph = torch.cuda.CUDAGraph()
        before = [generator.get_state() for generator in self._generators]
        for generator in self._generators:
            graph.register_generator_state(generator)
        self._net.model.zero_grad(set_to_none=True)
        try:
            with torch.cuda.graph(graph):
                self._compute()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            _log.warning("Steps cannot be recorded on this device, training is slower: %s", error)
            for generator, drawn in zip(self._generators, before, strict=True):
                generator.set_state(drawn)
            return
        self._graph = graph

    def _compute(self) -> None:
        """One optimiser step of every network; their losses are added up."""
        settings, net = self._settings, self._net
        labels = self._data.lesson(settings.teacher)[self._chosen]
        images = self._data.images[self._chosen]  # (copies, n, 1, 28, 28)
        others, shares = [labels], []
        drawn = []
        for i, generator in enumerate(self._generators):
            own = augmented(images[i], settings.augment, generator, settings.erase)
            if settings.mixup:
                own, other, share = mixed(own, labels[i], settings.mixup, generator)
                others.append(other)
                shares.append(share)
            drawn.append(own)
        logits = forward(net.model, torch.cat(drawn, dim=1), self._placement)
        by_seed = logits.view(len(logits), len(self._generators), -1).transpose(0, 1).flatten(0, 1)
        losses = self._cross_entropy(by_seed, labels)
        if shares:
            blended = self._cross_entropy(by_seed, torch.stack(others[1:]))
            losses = torch.lerp(losses, blended, torch.stack(shares))
        means = losses.mean(1)
        net.model.zero_grad(set_to_none=True)
        means.sum().backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        take_step(net.optimizer)
        if net.average is not None:
            net.average.update_parameters(net.model)
        self._losses += means.detach()

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(copies, n) losses of (copies * n, 10) logits; labels (copies, n) or (copies, n, 10)."""
        smoothing = self._settings.label_smoothing
        losses = F.cross_entropy(
            logits, labels.flatten(0, 1), label_smoothing=smoothing, reduction="none"
        )
        return losses.view(labels.shape[:2])

    def _read_optimisers(self) -> None:
        """Give the stack's optimiser what those of the runs have gathered."""
        own = [state.net.optimizer.state_dict()["state"] for state in self._states.values()]
        gathered = {
            index: {
                name: torch.cat([one[index][name] for one in own]) if value.ndim else value.clone()
                for name, value in values.items()
                if value is not None
            }
            for index, values in own[0].items()
        }
        groups = self._net.optimizer.state_dict()["param_groups"]
        self._net.optimizer.load_state_dict({"state": gathered, "param_groups": groups})
        if self._net.average is not None:
            averages = [state.net.average for state in self._states.values()]
            modules = [one.module.state_dict() for one in averages if one is not None]
            self._net.average.module.load_state_dict(
                {name: torch.cat([one[name] for one in modules]) for name in modules[0]}
            )
            if averages[0] is not None:
                self._net.average.n_averaged.copy_(averages[0].n_averaged)

    def _write(self, order: Tensor, step: int, seconds: float) -> None:
        """Bring every run's state to where the stack is, within an epoch."""
        copies, net = len(self._states), self._net
        gathered = net.optimizer.state_dict()["state"]
        for i, state in enumerate(self._states.values()):
            own = state.net
            _load_part(own.model, net.model, i, copies)
            if own.average is not None and net.average is not None:
                _load_part(own.average.module, net.average.module, i, copies)
                own.average.n_averaged.copy_(net.average.n_averaged)
            parameters = [p for group in own.optimizer.param_groups for p in group["params"]]
            part = {
                index: {
                    name: torch.empty_like(parameters[index]).copy_(value.chunk(copies)[i]).detach()
                    if value.ndim
                    else value.clone()
                    for name, value in values.items()
                    if value is not None
                }
                for index, values in gathered.items()
            }
            groups = own.optimizer.state_dict()["param_groups"]
            own.optimizer.load_state_dict({"state": part, "param_groups": groups})
            state.order, state.step = order[i].clone(), step
            state.epoch_loss.copy_(self._losses[i])
            state.epoch_seconds = seconds / copies
            state.seconds += seconds / copies


def _load_part(one: torch.nn.Module, stack: torch.nn.Module, i: int, copies: int) -> None:
    """Copy the weights and statistics of the ``i``-th network out of a stack's."""
    one.load_state_dict(
        {name: value.chunk(copies)[i] for name, value in stack.state_dict().items()}
    )
