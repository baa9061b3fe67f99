"""``fashiontui tune``: what it prints, what it refuses, and who pays for Optuna."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.plan import parse_duration
from fashiontui.store import Store

SPACE = 'settings = { epochs = [1], batch_size = [200], optimizer = ["adam", "adamw"] }'
TUNE = ("tune", "--arch", "fcn", "--budget", "5k", "--data", "sample", "--device", "cpu")


@pytest.fixture
def small(tmp_path, here):
    """Run a small study on the sample set."""
    (tmp_path / "space.toml").write_text(SPACE)
    where = ("--space", "space.toml", "--threads", "1", "--store", "runs.db")

    def run(*arguments):
        return here(*TUNE, *where, *arguments)

    return run


def test_a_study_ends_in_a_document_and_the_same_command_finds_it_done(small):
    first = small("--trials", "3", "--json")
    assert (first.code, first.err) == (0, "")
    document = json.loads(first.out)
    assert document["dataset"] == "sample"
    assert [trial["state"] for trial in document["trials"]] == ["complete"] * 3
    best = max(trial["val_accuracy"] for trial in document["trials"])
    chosen = document["chosen"]
    assert document["trials"][chosen["trial"]]["val_accuracy"] == best
    assert chosen["run"]["val_accuracy"] == best
    assert chosen["run"]["test_accuracy"] is not None
    assert document["pareto"] == [chosen["trial"]]
    again = json.loads(small("--trials", "3", "--json").out)
    assert again == document


def test_a_study_goes_on_by_its_name_and_prints_tables(small, here):
    small("--trials", "1", "--study", "mine")
    done = here("tune", "--study", "mine", "--trials", "2", "--store", "runs.db")
    assert done.code == 0
    assert "Study mine: 2 trials" in done.out
    assert "Its test set, scored once:" in done.out


@pytest.mark.parametrize(("target", "code", "said"), [("1", 0, "is above 1%"), ("99.9", 1, "NOT")])
def test_the_exit_code_says_whether_the_target_was_reached(small, target, code, said):
    done = small("--trials", "2", "--target", target)
    assert (done.code, said in done.out) == (code, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tune",), "Give tune an --arch and a --budget, or the --study to go on with"),
        (("tune", "--arch", "foo", "--budget", "5k"), "Unknown architecture 'foo'"),
        (("tune", "--arch", "fcn", "--budget", "12"), "too small for any FCN"),
        ((*TUNE, "--target", "880"), "--target takes a percentage between 0 and 100, not 880"),
        ((*TUNE, "--time", "soon"), "Cannot read the time 'soon'; write it like 90s, 10m or 1.5h"),
        ((*TUNE, "--sampler", "foo"), "--sampler takes tpe, random, grid, not 'foo'"),
        ((*TUNE, "--sampler", "grid"), "points, more than 10,000"),
        ((*TUNE, "--against", "size"), "--against takes weights, time, not 'size'"),
        ((*TUNE, "--space", "gone.toml"), "Cannot read the space gone.toml: No such file"),
        ((*TUNE, "--trials", "0"), "--trials"),
        (("tune", "--study", "x", "--seed", "3"), "--seed is for a new study: give --arch and"),
        (("tune", "--study", "x", "--store", "new.db"), "There is no study 'x'; there are: none"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(here, arguments, said):
    done = here(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_file_of_studies_that_is_damaged_is_said_and_left_as_it_is(small, tmp_path):
    (tmp_path / "runs.db-studies").write_bytes(b"no database at all, but long enough to be read")
    done = small("--trials", "1")
    assert done.code == 5
    assert "runs.db-studies: the file is damaged, or is no store" in done.err
    assert (tmp_path / "runs.db-studies").read_bytes().startswith(b"no database at all")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_ends_a_search_within_two_seconds_and_the_same_command_goes_on(tmp_path):
    (tmp_path / "space.toml").write_text(SPACE.replace("epochs = [1]", "epochs = [2000]"))
    where = ("--space", "space.toml", "--threads", "1", "--precision", "fp32", "--store", "runs.db")
    command = [sys.executable, "-m", "fashiontui", *TUNE, *where, "--trials", "1", "--json"]
    with closing(Store(str(tmp_path / "runs.db"))) as store:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        ) as process:
            while not any(store.get(run_id).epochs for run_id, _, _ in store.specs()):
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            sent = time.monotonic()
            out, err = process.communicate(timeout=60)
            took = time.monotonic() - sent
        assert (process.returncode, out) == (130, "")
        assert err.endswith("interrupted; the same command goes on with the study.\n")
        assert took < 2
        [(run_id, status, _)] = store.specs()
        before = len(store.get(run_id).epochs)
        assert status is Status.STOPPED
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path) as again:
            while len(store.get(run_id).epochs) <= before:
                assert again.poll() is None
                time.sleep(0.05)
            again.kill()
        assert [other for other, _, _ in store.specs()] == [run_id]


@pytest.mark.parametrize("module", ["fashiontui.cli", "fashiontui.batch", "fashiontui.tui.app"])
def test_only_those_who_tune_import_optuna(module):
    program = f"import sys, {module}; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(("typed", "seconds"), [("90s", 90), ("10m", 600), ("1.5 H", 5400)])
def test_times_are_read_as_people_type_them(typed, seconds):
    assert parse_duration(typed) == seconds


@pytest.mark.parametrize("typed", ["", "10", "0s", "-5m", "1e9h", "9999999h", "5m5", "٣s"])
def test_other_times_are_refused(typed):
    with pytest.raises(UsageError, match="write it like 90s"):
        parse_duration(typed)
