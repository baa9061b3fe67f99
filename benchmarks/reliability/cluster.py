"""Kills a node of a real Ray cluster in the middle of a sweep, and counts what arrived.

``python -m benchmarks.reliability.cluster`` starts a head and three nodes of one processor each as
processes of this machine, sweeps 60 short runs on the sample set, kills one node's processes with
SIGKILL once a third of the runs is stored, adds another node, and prints how many runs the store
has, and how many of them twice. Then one more learns there what another answers, and once more
here: it is told whether their weights are the same. It needs the extra ``ray``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import ray.cluster_utils
import torch

from fashiontui.data.sample import sample_set
from fashiontui.domain.events import Status
from fashiontui.engine import Placement
from fashiontui.runner import run
from fashiontui.store import Store
from fashiontui.store.teachers import teacher_name
from fashiontui.teachers import taught

PLAN = """
[[grid]]
archs = ["fcn"]
shapes = ["32"]
seeds = "{seeds}"
[grid.settings]
epochs = {epochs}
batch_size = 128
"""
OBJECT_STORE_BYTES = 80_000_000
"""The least that Ray takes; the sample set has 2.4 MB."""
LONGEST_SECONDS = 540
ALIKE = "bit-identical"
LOOK_SECONDS = 0.1
"""How often it is looked how many runs the store has."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    asked = parser.parse_args()
    began = time.monotonic()
    cluster = ray.cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
        },
    )
    small = {"num_cpus": 1, "object_store_memory": OBJECT_STORE_BYTES}
    nodes = [cluster.add_node(**small) for _ in range(asked.nodes)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        where = folder / "runs.sqlite3"
        (folder / "plan.toml").write_text(PLAN.format(seeds=asked.runs, epochs=asked.epochs))
        command = [sys.executable, "-m", "fashiontui", "sweep", str(folder / "plan.toml")]
        command += ["--engine", "ray", "--address", cluster.address, "--data", "sample"]
        command += ["--precision", "fp32", "--store", str(where), "--json"]
        with (
            closing(Store(str(where))) as store,
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sweep,
        ):
            while (before := len(store.specs())) < asked.runs // 3 and sweep.poll() is None:
                time.sleep(LOOK_SECONDS)
            cluster.remove_node(nodes[0], allow_graceful=False)
            cluster.add_node(**small)
            out, _ = sweep.communicate(timeout=LONGEST_SECONDS)
            records = store.runs()
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        alike = taught_alike(command, folder)
    cluster.shutdown()
    printed = results_in(out)
    seeds = Counter(run.spec.seed for run in records if run.status is Status.FINISHED)
    twice = sum(count > 1 for count in seeds.values())
    print(f"nodes                         {asked.nodes}; one killed at {before} runs, one joined")
    print(f"exit code of the sweep        {sweep.returncode}")
    print(f"runs finished                 {len(seeds)} of {asked.runs}")
    print(f"runs twice, or not finished   {twice + len(records) - len(seeds)}")
    print(f"results printed               {printed}")
    print(f"the same sweep again          {again.stderr.strip().splitlines()[-1]}")
    print(f"a taught run, there and here  {alike}")
    print(f"seconds                       {time.monotonic() - began:.0f}")
    once = {len(records), len(seeds), printed} == {asked.runs} and sweep.returncode == 0
    sys.exit(not once or alike != ALIKE)


def taught_alike(command: list[str], folder: Path) -> str:
    """Whether a run that learns from one of these comes to the same weights there and here."""
    with closing(Store(str(folder / "runs.sqlite3"))) as store:
        teacher = teacher_name(store, [store.runs()[-1].id])
        plan = PLAN.format(seeds=1, epochs=1) + f'teacher = "{teacher}"\n'
        (folder / "plan.toml").write_text(plan)
        swept = subprocess.run([*command, "--threads", "1"], capture_output=True, check=False)
        there = store.runs()[0]
        if swept.returncode or there.spec.settings.teacher != teacher:
            return f"not trained there: {swept.stderr.decode()[-500:]!r}"
        images = taught(sample_set(), [there.spec], store)
        list(run(there.spec, images, Placement(torch.device("cpu"), "fp32", 1), store))
        here = store.runs()[0]
    same = here.id != there.id and here.weights_sha256 == there.weights_sha256
    return ALIKE if same else "other weights"


def results_in(out: str) -> int | str:
    """How many runs were printed, or what was printed instead of a document."""
    try:
        return len(json.loads(out)["runs"])
    except ValueError:
        return f"none, stdout began with {out[:500]!r}"


if __name__ == "__main__":
    main()
