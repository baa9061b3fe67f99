"""``fashiontui sweep``: each run of a plan once, whatever happens in between."""

import json
import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from fashiontui.domain.events import Status
from fashiontui.store import Store

PLAN = '[[grid]]\nmodels = ["fcn-50k"]\nseeds = "3"\n[grid.settings]\nepochs = {epochs}\n'
SAMPLE = ("--data", "sample", "--threads", "1", "--precision", "fp32", "--store", "runs.sqlite3")


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.format(epochs=1))
    return str(path)


def runs_in(tmp_path):
    with closing(Store(str(tmp_path / "runs.sqlite3"))) as store:
        return store.runs()


def test_a_sweep_trains_each_run_once_and_prints_all_of_them(plan, here, tmp_path):
    first = here("sweep", plan, *SAMPLE, "--json")
    assert (first.code, first.err) == (0, "")
    again = here("sweep", plan, *SAMPLE, "--json")
    assert again.err == "fashiontui: 3 of 3 runs are finished already.\n"
    assert json.loads(again.out) == json.loads(first.out)
    assert [run["seed"] for run in json.loads(first.out)["runs"]] == [0, 1, 2]
    assert len(runs_in(tmp_path)) == 3


def test_a_sweep_that_was_killed_goes_on_where_it_was(plan, here, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN.format(epochs=40))
    command = [sys.executable, "-m", "fashiontui", "sweep", plan, *SAMPLE, "--jsonl"]
    epochs = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        while epochs < 45:  # within the second run
            epochs += json.loads(process.stdout.readline())["event"] == "epoch_ended"
        process.kill()
    done = here("sweep", plan, *SAMPLE, "--json")
    assert done.code == 0
    assert "1 of 3 runs are finished already" in done.err
    records = runs_in(tmp_path)
    assert [record.status for record in records] == [Status.FINISHED] * 3
    assert sorted(record.spec.seed for record in records) == [0, 1, 2]


def test_a_dry_run_trains_nothing_and_estimates_the_time_of_what_is_left(plan, here, tmp_path):
    assert here("sweep", plan, *SAMPLE).code == 0
    (tmp_path / "plan.toml").write_text(PLAN.format(epochs=1).replace('"3"', '"5"'))
    outcome = here("sweep", plan, *SAMPLE, "--dry-run", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 0
    assert [run["spec"]["seed"] for run in document["runs"]] == [3, 4]
    assert (document["finished"], document["at_once"]) == (3, 1)
    assert document["estimate_seconds"] == pytest.approx(
        sum(run["seconds"] for run in document["runs"])
    )
    table = here("sweep", plan, *SAMPLE, "--dry-run")
    assert "fcn-50k" in table.out
    assert "3 of 5 runs are finished; the other 2" in table.out
    assert len(runs_in(tmp_path)) == 3


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--engine", "spark"), 2, "--engine takes local, ray, not 'spark'."),
        (("--engine", "ray"), 2, "--engine ray needs the cluster's --address"),
        (("--engine", "ray", "--address", "auto", "--jobs", "2"), 2, "leave out --jobs"),
        (("--engine", "ray", "--address", "auto", "--gpus", "1.5"), 2, "--gpus takes a share"),
        (("--gpus", "0.5"), 2, "--gpus needs --engine ray."),
        (("--json", "--csv"), 2, "Choose one of --json and --csv."),
        (("--dry-run", "--latex"), 2, "leave out --latex."),
        (("--jobs", "0"), 2, "--jobs takes 1 to 256, not 0."),
    ],
)
def test_options_that_cannot_be_used_are_one_sentence(options, code, said, plan, here):
    outcome = here("sweep", plan, *SAMPLE, *options)
    assert (outcome.code, outcome.out) == (code, "")
    [line] = outcome.err.splitlines()
    assert said in line


def test_a_plan_that_is_not_there_is_one_sentence(here):
    outcome = here("sweep", "nope.toml")
    assert outcome.code == 2
    assert outcome.err == (
        "fashiontui: Cannot read the plan nope.toml: No such file or directory.\n"
    )


def test_a_sweep_without_ray_says_how_to_get_it(plan, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    outcome = here("sweep", plan, *SAMPLE, "--engine", "ray", "--address", "auto")
    assert outcome.code == 2
    assert "pip install 'fashiontui[ray]'" in outcome.err


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("nowhere", 2, "--address takes auto, HOST:PORT or ray://HOST:PORT, not 'nowhere'."),
        ("127.0.0.1:99999", 2, "--address takes"),
        ("127.0.0.1:{free}", 4, "Nobody answers at 127.0.0.1:"),
        ("ray://127.0.0.1:{free}", 4, "start a cluster there with: ray start --head"),
    ],
)
def test_an_address_with_nobody_there_is_one_sentence(address, code, said, plan, here):
    pytest.importorskip("ray", reason="SWEEPS ON RAY WERE NOT TESTED: pip install ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    asked = address.format(free=free)
    outcome = here("sweep", plan, *SAMPLE, "--engine", "ray", "--address", asked)
    assert outcome.code == code
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_ray_is_loaded_by_those_alone_who_ask_for_it(plan, tmp_path):
    code = (
        f"import sys\nfrom fashiontui.entry import run\n"
        f"assert run(['sweep', {plan!r}, *{SAMPLE!r}]) == 0\n"
        "assert 'ray' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)


def test_what_a_cluster_prints_is_no_result():
    code = """
import os, sys
from rich.console import Console
from fashiontui import batch, cluster, streams

class Loud:
    def __init__(self, address, gpus): self.close()
    def close(self):
        print("from Python")
        os.write(1, b"from C++")

cluster.Cluster = Loud
streams.prepare()
results = sys.stdout
with batch.joined(batch.OnRay("auto", 0), Console(stderr=True)):
    print("an event", file=results)
print("the results")
sys.stdout.flush()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "an event\nthe results\n"
    assert done.stderr.count("from Python") == done.stderr.count("from C++") == 2


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_cluster_that_loses_a_node_trains_every_run_once_and_a_taught_one_as_it_would_be_here():
    pytest.importorskip("ray", reason="SWEEPS ON RAY WERE NOT TESTED: pip install ray")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reliability.cluster", "--runs", "6", "--nodes", "2"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "runs finished                 6 of 6" in done.stdout
    assert "a taught run, there and here  bit-identical" in done.stdout  # one cluster for both
    assert "[state-dump]" not in done.stderr
