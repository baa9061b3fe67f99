"""A sweep of 10,000 runs on 100 nodes, simulated from costs measured on this machine.

``python -m benchmarks.scale`` measures what a run costs the one process that drives a sweep: Ray's
share (submitting a task, waiting for it, fetching its result; processor time of this process, on a
Ray of one node started here), the store's share (a whole run written through ``Keeper``, on the
disk of the temporary folder), and the bytes of a result. Then it simulates the sweep and says when
driver, store and network are the limit.

Assumptions, beside these costs: nodes train all the time, each with a number of slots; a run's time
is lognormal around its median (sigma 0.3); results wait in one queue for the driver, which takes up
to 64 of them at a time and stores these in one transaction; every node draws the images from the
driver's machine, though Ray lets nodes pass them on; the network carries 10 Gbit/s. No node is
lost, and the head's own share is not counted.
"""

import argparse
import heapq
import math
import pickle
import random
import tempfile
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import ray
from msgspec import structs

from fashiontui.cluster import AT_ONCE, LOOK_SECONDS, WholeRun, whole_run
from fashiontui.data.sample import sample_set
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.runner import Keeper
from fashiontui.store import Store
from fashiontui.store.store import new_run_id

RUNS, NODES = 10_000, 100
SIGMA = 0.3
NETWORK_BYTES_PER_SECOND = 10e9 / 8
IMAGE_BYTES = 70_000 * (784 + 8)
"""Fashion-MNIST as it lies in memory: pixels as bytes, labels as int64."""
FASHION_MNIST_SCORED = 16_000
"""Validation and test images whose predictions a run brings along."""
MEASURED_TASKS, MEASURED_RUNS = 600, 320


@dataclass(frozen=True)
class Costs:
    """What one run costs the driver."""

    submit: float
    """Seconds to submit its task."""
    fetch: float
    """Seconds to wait for its result and to fetch it."""
    commit: float
    """Seconds that a transaction of the store takes, however many runs it holds."""
    store: float
    """Seconds to write one run within it."""
    bytes: int
    """Size of its result."""


def a_whole_run(model: str) -> WholeRun:
    """A run of the recipe ``fast`` on the sample set, with predictions as on Fashion-MNIST."""
    [spec] = plan([named_network(model)], load_recipe("fast", Path("/nonexistent")), {}, [0])
    spec = structs.replace(spec, dataset="sample", device="cpu", threads=1)
    images = sample_set()
    names = ("images", "labels", "test_images", "test_labels")
    arrays = {"name": "sample", **{name: getattr(images, name).numpy() for name in names}}
    done = whole_run(new_run_id(), structs.replace(spec, precision="fp32"), arrays)
    assert isinstance(done, tuple)
    return done


def ray_costs(run: WholeRun) -> tuple[float, float]:
    """Processor seconds that this process spends on submitting a task, and on its result."""

    @ray.remote
    def returned(whole: WholeRun) -> WholeRun:
        return whole

    given = ray.put(run)
    ray.get([returned.remote(given) for _ in range(8)])  # starts the workers
    began = time.process_time()
    pending = [returned.remote(given) for _ in range(MEASURED_TASKS)]
    submitted = time.process_time()
    while pending:
        ready, pending = ray.wait(
            pending, num_returns=min(AT_ONCE, len(pending)), timeout=LOOK_SECONDS
        )
        for reference in ready:
            ray.get(reference)
    fetched = time.process_time()
    return (submitted - began) / MEASURED_TASKS, (fetched - submitted) / MEASURED_TASKS


def store_seconds(run: WholeRun, together: int) -> float:
    """Median seconds to store so many whole runs in one transaction."""
    [*events, end], weights = run
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Store(str(Path(folder) / "runs.sqlite3"))) as store,
    ):
        spent = []
        for _ in range(MEASURED_RUNS // together):
            began = time.perf_counter()
            with store.together():
                for _ in range(together):
                    keeper, run_id = Keeper(store), new_run_id()
                    for event in events:
                        keeper.keep(replace(event, run_id=run_id), lambda: None)
                    keeper.keep(replace(end, run_id=run_id), lambda: weights)
            spent.append(time.perf_counter() - began)
        return median(spent)


def simulate(costs: Costs, slots: int, run_seconds: float) -> tuple[float, float, float]:
    """Seconds until the last run is stored, the longest wait for the driver, and its busy share."""
    chance = random.Random(0)
    ready_at = IMAGE_BYTES * NODES / NETWORK_BYTES_PER_SECOND
    free = [ready_at] * (NODES * slots)
    arrivals = []
    for number in range(RUNS):
        begins = max(heapq.heappop(free), (number + 1) * costs.submit)
        ends = begins + run_seconds * math.exp(chance.gauss(0, SIGMA))
        heapq.heappush(free, ends)
        arrivals.append(ends + costs.bytes / NETWORK_BYTES_PER_SECOND)
    waiting = deque(sorted(arrivals))
    now, longest, busy = RUNS * costs.submit, 0.0, RUNS * costs.submit
    while waiting:
        now = max(now, waiting[0])
        taken = []
        while waiting and waiting[0] <= now and len(taken) < AT_ONCE:
            taken.append(waiting.popleft())
        spent = costs.commit + len(taken) * (costs.fetch + costs.store)
        longest = max(longest, now - taken[0])
        now, busy = now + spent, busy + spent
    return now, longest, busy / now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="cnn-20k")
    parser.add_argument("--seconds", type=float, nargs="+", default=[2, 10, 60])
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 8, 32])
    asked = parser.parse_args()
    run = a_whole_run(asked.model)
    ray.init(num_cpus=1, log_to_driver=False, logging_level="error", include_dashboard=False)
    submit, fetch = ray_costs(run)
    ray.shutdown()
    on_fashion_mnist = len(pickle.dumps(run)) + 2 * FASHION_MNIST_SCORED
    alone, full = store_seconds(run, 1), store_seconds(run, AT_ONCE)
    within = max(0.0, (full - alone) / (AT_ONCE - 1))
    costs = Costs(submit, fetch, max(0.0, alone - within), within, on_fashion_mnist)
    each = costs.submit + costs.fetch + full / AT_ONCE
    print(f"Measured, for a run of {asked.model}:")
    print(f"  submitting its task    {1000 * costs.submit:7.2f} ms of the driver's processor")
    print(f"  waiting and fetching   {1000 * costs.fetch:7.2f} ms of the driver's processor")
    print(f"  storing it             {1000 * alone:7.2f} ms")
    print(f"  storing {AT_ONCE} together    {1000 * full / AT_ONCE:7.2f} ms each")
    print(f"  its result             {costs.bytes / 1000:7.0f} kB")
    print("Limits:")
    print(f"  driver with its store  {1 / each:7.0f} runs/s; the store alone {AT_ONCE / full:.0f}")
    per_second = NETWORK_BYTES_PER_SECOND / costs.bytes
    print(f"  network, results       {per_second:7.0f} runs/s")
    images = IMAGE_BYTES * NODES
    print(f"  network, images        {images / NETWORK_BYTES_PER_SECOND:7.1f} s, once")
    print(f"{RUNS:,} runs on {NODES} nodes, simulated:")
    print("  slots a node  a run  asked of the driver  all stored after  driver busy  longest wait")
    for slots in asked.slots:
        for seconds in asked.seconds:
            took, waited, busy = simulate(costs, slots, seconds)
            rate = NODES * slots / seconds
            print(
                f"  {slots:12d}  {seconds:3.0f} s  {rate:11.0f} runs/s  {took:14.0f} s"
                f"  {100 * busy:10.0f}%  {waited:10.1f} s"
            )


if __name__ == "__main__":
    main()
