"""Runs on a Ray cluster: one task a run.

Ray decides where a task runs, starts those of lost nodes again, uses nodes that join, and carries
the images to each node once. A task returns its whole run, and this process alone writes it to the
store: a run is there once, and whole, or not at all.
"""

import logging
import os
import re
import socket
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import Any

import torch
from msgspec import structs

from fashiontui import paths
from fashiontui.data import Dataset
from fashiontui.domain.errors import DeviceError, FashiontuiError, TrainingError, UsageError
from fashiontui.domain.events import EpochEnded, Event, FirstLayer, RunFinished, RunStarted
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.text import printable
from fashiontui.engine import choose_placement, find_device
from fashiontui.engine.training import checkpoint_beside, events_of, new_state
from fashiontui.runner import Keeper, Said
from fashiontui.store import Store
from fashiontui.store.store import new_run_id

RETRIES = 5
"""How often Ray starts a task again whose node or process was lost."""
AT_ONCE = 64
"""Most results that are waited for together: each wait looks through all tasks."""
LOOK_SECONDS = 0.1
"""How long they are waited for before it is looked whether to stop."""
KNOCK_SECONDS = 5.0
"""How long a cluster's address may take to accept a connection."""
JOIN_SECONDS = 30.0
"""How long Ray may take to join the cluster behind it."""

LAST_WORDS = "^Raylet is terminated"
"""How Ray begins to print what a lost node had logged; that it is lost is said besides."""

_ADDRESS = re.compile(r"(?:ray://)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})")
_KEPT = (RunStarted, EpochEnded, FirstLayer, RunFinished)

_TENSORS = ("images", "labels", "test_images", "test_labels")

_log = logging.getLogger(__name__)

WholeRun = tuple[list[Event], bytes | None]
"""What a task returns: the events of its run that are stored, and its weights."""


class Cluster:
    """A Ray cluster that this process has joined."""

    def __init__(self, address: str, gpus: float = 0.0) -> None:
        """Join it.

        Args:
            address: auto, HOST:PORT or ray://HOST:PORT.
            gpus: The share of a GPU that each run gets; without, runs train on CPUs.

        Raises:
            UsageError: Ray is not installed, or nothing can have this address.
            DeviceError: nobody answers there, or it cannot be joined.
        """
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", LAST_WORDS)  # read when it is loaded
        try:
            self._ray: Any = import_module("ray")
        except ImportError as error:
            raise UsageError(
                "--engine ray needs Ray; install it with: pip install 'fashiontui[ray]'"
            ) from error
        _knock(address)
        self._gpus = gpus
        self._join(address)
        if not self.room(1):
            _log.warning("The cluster has no room for a run now; runs wait for nodes that join.")

    def room(self, threads: int) -> int:
        """How many runs of so many threads fit on the nodes that are there now."""
        there = self._ray.cluster_resources()
        by_cpus = int(there.get("CPU", 0) // threads)
        return min(by_cpus, int(there.get("GPU", 0) // self._gpus)) if self._gpus else by_cpus

    def close(self) -> None:
        """Leave it; tasks that have not returned are ended."""
        self._ray.shutdown()

    def train(
        self,
        specs: Sequence[RunSpec],
        data: Dataset,
        store: Store,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Generator[tuple[int, Said], None, None]:
        """Train specs on whatever nodes there are; a run is stored when it is over.

        Runs that are under way when the generator is closed leave nothing behind.

        Args:
            specs: What to train; threads left open are one, and a device left open is the CPU
                where runs get no share of a GPU.
            data: On the CPU; carried to each node once.
            store: Where the runs are kept.
            stopping: Looked at all the time; once it is true, no more is waited for.

        Yields:
            The number of a spec, and what is heard of it.

        Raises:
            StoreError: the store cannot be written.
        """
        images = self._ray.put(_as_arrays(data))
        task = self._ray.remote(whole_run)
        pending = {}
        for number, spec in enumerate(map(self._placed, specs)):
            asked = task.options(
                num_cpus=spec.threads, num_gpus=self._gpus, max_retries=RETRIES, name=spec.title
            )
            pending[asked.remote(new_run_id(), spec, images)] = number
        while pending and not stopping():
            ready, _ = self._ray.wait(
                [*pending], num_returns=min(AT_ONCE, len(pending)), timeout=LOOK_SECONDS
            )
            results = {pending.pop(reference): self._fetched(reference) for reference in ready}
            if not results:
                continue
            with store.together():
                told = {number: _kept(result, store) for number, result in results.items()}
            for number, all_said in told.items():
                yield number, None
                for said in all_said:
                    yield number, said

    def _fetched(self, reference: Any) -> WholeRun | FashiontuiError:
        """What came of a task."""
        try:
            result: WholeRun | FashiontuiError = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return TrainingError(f"Ray gave it up: {_gist(error)}.")
        return result

    def _placed(self, spec: RunSpec) -> RunSpec:
        device = "cpu" if spec.device == "auto" and not self._gpus else spec.device
        return structs.replace(spec, device=device, threads=spec.threads or 1)

    def _join(self, address: str) -> None:
        """Join within a time limit; by itself Ray would wait for minutes."""
        failed: list[Exception] = []

        def join() -> None:
            try:
                self._ray.init(address=address, log_to_driver=False, logging_level="error")
            except Exception as error:
                failed.append(error)

        joining = threading.Thread(target=join, daemon=True)
        joining.start()
        joining.join(JOIN_SECONDS)
        if joining.is_alive():
            raise DeviceError(
                f"What listens at {address} did not answer like a Ray cluster within "
                f"{JOIN_SECONDS:.0f} s; see there: ray status"
            )
        if failed:
            raise DeviceError(f"Cannot join a Ray cluster at {address}: {_gist(failed[0])}.")


def whole_run(run_id: str, spec: RunSpec, images: dict[str, Any]) -> WholeRun | FashiontuiError:
    """Train one run from beginning to end, on a node.

    Args:
        run_id: Its id, the same whenever the task is started again.
        spec: What to train, with its threads.
        images: A data set as ``_as_arrays`` packs it.

    Returns:
        The run, or why it could not begin.
    """
    try:
        device = find_device(spec.device)
        placement = choose_placement(spec, device, paths.measurements_file())
        state = new_state(spec, placement)
        data = _as_dataset(images).to(device)
        events: list[Event] = [
            event for event in events_of(run_id, state, data) if isinstance(event, _KEPT)
        ]
    except FashiontuiError as error:
        return error
    return events, checkpoint_beside(events[-1], state)


def _kept(result: WholeRun | FashiontuiError, store: Store) -> list[Said]:
    """What is heard of a run that has come in, once it is stored."""
    if isinstance(result, FashiontuiError):
        return [result]
    keeper, ([*events, end], weights) = Keeper(store), result
    before = [keeper.keep(event, lambda: None) for event in events]
    return [*before, keeper.keep(end, lambda: weights)]


def _as_arrays(data: Dataset) -> dict[str, Any]:
    """A data set as NumPy arrays, which the tasks of a node map instead of copying them."""
    tensors = {name: getattr(data, name).numpy() for name in _TENSORS}
    answers = {name: given.numpy() for name, given in data.answers.items()}
    return {"name": data.name, **tensors, "answers": answers}


def _as_dataset(arrays: dict[str, Any]) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are read-only, and only read
        tensors = {name: torch.from_numpy(arrays[name]) for name in _TENSORS}
        answers = {name: torch.from_numpy(given) for name, given in arrays["answers"].items()}
        return Dataset(arrays["name"], **tensors, answers=answers)


def _knock(address: str) -> None:
    """See that somebody listens at an address.

    Raises:
        UsageError: nothing can have this address.
        DeviceError: nobody listens.
    """
    if address == "auto":
        return
    if not (parts := _ADDRESS.fullmatch(address)) or int(parts["port"]) > 65535:
        raise UsageError(
            f"--address takes auto, HOST:PORT or ray://HOST:PORT, not {address[:60]!r}."
        )
    try:
        where = (parts["host"].strip("[]"), int(parts["port"]))
        socket.create_connection(where, KNOCK_SECONDS).close()
    except OSError as error:
        raise DeviceError(
            f"Nobody answers at {address} ({error.strerror or error}); start a cluster there with: "
            "ray start --head"
        ) from error


def _gist(error: Exception) -> str:
    """The last line of what Ray says; those before it are a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable(lines[-1] if lines else type(error).__name__).rstrip(".")[:300]
