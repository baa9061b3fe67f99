"""The command line as people and programs meet it: streams, exit codes, one sentence an error."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import torch
from making import made_spec
from msgspec import structs

from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import UsageError
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import FAMILIES
from fashiontui.engine import Placement
from fashiontui.paths import data_folders
from fashiontui.runner import run as train
from fashiontui.store import Store

SMALL = ("--batch", "--data", "sample", "--threads", "1", "--precision", "fp32", "--epochs", "1")
"""One run takes a fraction of a second."""
ONE = (*SMALL, "--model", "cnn-10k")


def stored(tmp_path):
    """Rows of every store below the test's folder."""
    rows = []
    for file in tmp_path.rglob("*.sqlite3"):
        with sqlite3.connect(file) as plain:
            rows += plain.execute("SELECT id, status FROM runs").fetchall()
        plain.close()
    return rows


def loaded_by(code, tmp_path):
    """Top-level modules a process has loaded after some code."""
    code += "\nimport json, sys; sys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    return {name.split(".")[0] for name in json.loads(done.stderr)}


HEAVY = {"torch", "torchvision", "numpy", "scipy", "sqlalchemy", "alembic", "textual", "plotext"}


def test_importing_the_command_line_loads_nothing_heavy(tmp_path):
    loaded = loaded_by("import fashiontui.cli", tmp_path)
    assert "fashiontui" in loaded
    assert not loaded & (HEAVY | {"msgspec", "pydantic"})


RUN = "from fashiontui.entry import run\nassert run({arguments}) == 0"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["models", "--help"]], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments, tmp_path):
    assert not loaded_by(RUN.format(arguments=arguments), tmp_path) & HEAVY


def test_the_models_are_counted_without_torch_and_store(tmp_path):
    arguments = ["models", "--arch", "fcn", "--budget", "37k", "--json"]
    assert not loaded_by(RUN.format(arguments=arguments), tmp_path) & HEAVY


def test_help_names_every_option_of_the_design(here):
    told = here("--help")
    assert told.code == 0
    for option in [
        "--batch",
        "--model",
        "--arch",
        "--budget",
        "--hidden",
        "--channels",
        "--recipe",
        "--epochs",
        "--batch-size",
        "--lr",
        "--optimizer",
        "--schedule",
        "--dropout",
        "--init",
        "--activation",
        "--weight-decay",
        "--label-smoothing",
        "--augment",
        "--seed",
        "--seeds",
        "--device",
        "--threads",
        "--precision",
        "--data",
        "--data-dir",
        "--store",
        "--json",
        "--jsonl",
        "--csv",
        "--markdown",
        "--latex",
    ]:
        assert f"{option} " in told.out or f"{option}\n" in told.out, option


# Bad input: one sentence, the right exit code, nothing on stdout, nothing stored


def is_refused(outcome, code, *said):
    """One line on stderr that says all of this, no traceback, nothing on stdout."""
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    [line] = outcome.err.splitlines()
    assert line.startswith("fashiontui: ")
    for words in said:
        assert words in line


USAGE = [
    (("--model", "fcn-1k"), "Unknown model 'fcn-1k'; choose one of fcn-50k"),
    (("--arch", "rnn", "--budget", "50k"), "Unknown architecture 'rnn'; choose one of fcn, cnn"),
    (("--arch", "fcn"), "--budget"),
    (("--budget", "50k"), "--arch"),
    (("--arch", "fcn", "--budget", "806"), "784-1-1-10 with 807 weights"),
    (("--arch", "fcn", "--budget", "6M"), "5,000,000"),
    (("--arch", "fcn", "--budget", "lots"), "50000, 50k or 0.05M"),
    (("--arch", "cnn", "--hidden", "5"), "--hidden is for --arch fcn"),
    (("--arch", "resnet", "--hidden", "5"), "--hidden is for --arch fcn"),
    (("--arch", "fcn", "--channels", "5"), "--channels for --arch cnn or "),
    (("--arch", "resnet", "--channels", "4," * 12 + "4"), "ResNet takes 1 to 12 channels, not 13"),
    (("--arch", "dsconv", "--budget", "80"), "1-1-1-1-1-1-1-10 with 102 weights"),
    (("--arch", "resnet", "--channels", "16,32", "--budget", "9k"), "more than the budget"),
    (("--hidden", "112,106", "--budget", "100k"), "more than the budget"),
    (("--hidden", "a"), "112,106"),
    (("--hidden", "0"), "1 or more"),
    (("--channels", "1,2,3,4,5"), "1 to 4"),
    (("--recipe", "nope"), "Unknown recipe 'nope'; choose one of best, fast, report"),
    (("--recipe", "nope.toml"), "nope.toml"),
    (("--recipe", "../nope"), "Unknown recipe"),
    (("--epochs", "0"), "epochs"),
    (("--epochs", "many"), "epochs"),
    (("--lr", "-1"), "lr"),
    (("--lr", "nan"), "lr"),
    (("--dropout", "1"), "dropout"),
    (("--optimizer", "sdg"), "optimizer"),
    (("--augment", "mirror"), "augment"),
    (("--seed", "-1"), "--seed"),
    (("--seed", str(2**63)), "--seed"),
    (("--seeds", "0"), "--seeds"),
    (("--seeds", "1001"), "--seeds"),
    (("--seed", "1", "--seeds", "2"), "one of --seed and --seeds"),
    (("--threads", "0"), "--threads"),
    (("--threads", "all"), "--threads"),
    (("--threads", "0000019999"), "--threads"),
    (("--hidden", "9999999,9999999"), "more than the 100,000,000 allowed"),
    (("--recipe", "/dev/zero.toml"), "No such file"),
    (("--precision", "fp16"), "--precision takes auto, fp32, bf16"),
    (("--kernels", "cudnn"), "--kernels takes auto, torch, rows"),
    (("--kernels", "rows", "--model", "fcn-50k"), "fcn-50k cannot be computed by rows"),
    (("--kernels", "rows", "--arch", "resnet", "--budget", "9k"), "use --kernels auto"),
    (("--kernels", "rows", "--channels", "3,4", "--precision", "bf16"), "leave out --precision"),
    (("--data", "mnist"), "--data takes auto, fashion-mnist, sample"),
    (("--json", "--csv"), "--json and --csv"),
    (("--jsonl", "--markdown", "--latex"), "Choose one of"),
    (("--device", "gpu"), "Unknown device 'gpu'"),
    (("--nope",), "--nope"),
    (("--modle", "fcn-50k"), "--model"),
    (("--lr",), "--lr"),
    (("stray",), "stray"),
]


@pytest.mark.parametrize(("arguments", "said"), USAGE, ids=lambda value: " ".join(value)[:30])
def test_wrong_usage_is_one_sentence_and_exit_code_2(arguments, said, here, tmp_path):
    is_refused(here("--batch", "--data", "sample", *arguments), 2, said)
    assert stored(tmp_path) == []


@pytest.mark.parametrize(
    "arguments",
    [("--nope",), ("--batch", "--epochs", "many"), ("runs", "show"), ("models", "--nope")]
    + [("bogus",), ("--batch", "--model", "fcn-1k")],
    ids=" ".join,
)
def test_wrong_usage_of_the_real_process_has_no_traceback(arguments, cli):
    outcome = cli(*arguments)
    is_refused(outcome, 2)
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[settings]\nepoch = 3", "did you mean 'epochs'"),
        (b"[settings\n", "not valid TOML"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_wrong_usage(text, said, here, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(text)
    is_refused(here(*ONE, "--recipe", str(file)), 2, "mine", said)
    assert stored(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--batch", "--model", "\x1b[2J\n"), r"\x1b[2J\n"),
        (("--batch", "--recipe", "/\x1b]0;x\x07.toml"), r"/\x1b]0;x\x07.toml"),
        (("--batch", "--recipe", "/cod\u202e.toml"), r"/cod\u202e.toml"),
        (("--batch", "--\x9b2J"), r"\x9b2J"),
        (("--batch", "--model", "\udcff"), r"\udcff"),
    ],
    ids=["model", "recipe", "direction", "option", "surrogate"],
)
def test_what_a_terminal_would_obey_is_shown_in_an_error(arguments, shown, here):
    outcome = here(*arguments)
    is_refused(outcome, 2, shown)
    assert outcome.err.strip().isprintable()


def test_a_folder_of_a_name_too_long_is_exit_code_3(here):
    outcome = here(*ONE, "--data", "fashion-mnist", "--data-dir", "x" * 300)
    is_refused(outcome, 3, "Cannot look into xxx", "too long")


def test_a_folder_of_an_unknown_user_is_taken_as_it_is():
    assert data_folders(Path("~nobody-of-that-name/x"))[0] == Path("~nobody-of-that-name/x")


@pytest.mark.parametrize("device", ["cuda:99", "cuda", "mps"])
def test_a_device_that_is_not_there_is_exit_code_4(device, here, tmp_path):
    if torch.device(device).type == "cuda" and device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has an Apple GPU")
    is_refused(here(*ONE, "--device", device), 4, f"There is no device {device}", "cpu")
    assert stored(tmp_path) == []


def test_data_that_cannot_be_had_are_exit_code_3(here, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"not genuine")
    outcome = here(*ONE, "--data", "fashion-mnist", "--data-dir", str(tmp_path / "data"))
    is_refused(outcome, 3, "train-images-idx3-ubyte.gz")
    assert stored(tmp_path) == []


def test_a_data_set_that_is_not_genuine_is_exit_code_3(here, tiny_archives, tmp_path):
    (tiny_archives.folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"not genuine")
    outcome = here(*ONE, "--data", "auto", "--data-dir", str(tiny_archives.folder))
    is_refused(outcome, 3, "t10k-labels-idx1-ubyte.gz", "checksum")
    assert stored(tmp_path) == []


def test_a_store_that_cannot_be_made_is_exit_code_5(here, tmp_path):
    (tmp_path / "file").write_text("in the way")
    is_refused(here(*ONE, "--store", str(tmp_path / "file" / "x.sqlite3")), 5, "file/x.sqlite3")


def test_another_programs_database_is_exit_code_5_and_left_alone(here, tmp_path):
    file = tmp_path / "photos.db"
    with sqlite3.connect(file) as plain:
        plain.execute("CREATE TABLE photos (id INTEGER)")
    plain.close()
    before = file.read_bytes()
    is_refused(here(*ONE, "--store", str(file)), 5, "photos.db", "another program")
    assert file.read_bytes() == before


def test_a_password_in_a_store_url_is_not_printed(here):
    outcome = here(*ONE, "--store", "nonsense://me:hush@host/runs")
    is_refused(outcome, 5, "nonsense://me:***@host/runs")
    assert "hush" not in outcome.err


NAN = (
    *("--hidden", "64,64,64,64,64,64,64,64", "--recipe", "report", "--batch-size", "100"),
    *("--optimizer", "sgd", "--lr", "100", "--weight-decay", "10"),
)
"""Decay makes every weight a thousand times larger at each step; two steps later all are lost."""


def test_a_loss_that_is_no_number_is_exit_code_1_and_stored_as_failed(here, tmp_path):
    is_refused(here(*SMALL, *NAN), 1, "--lr")
    [(_, status)] = stored(tmp_path)
    assert status == "failed"


def test_a_failed_run_is_in_the_document_with_its_cause(here):
    outcome = here(*SMALL, *NAN, "--json")
    [run] = json.loads(outcome.out)["runs"]
    assert outcome.code == 1
    assert run["status"] == "failed"
    assert "--lr" in run["cause"]
    assert run["test_accuracy"] is None


def test_one_failed_run_does_not_stop_the_others(here):
    outcome = here(*SMALL, *NAN, "--model", "cnn-10k", "--json")
    statuses = {run["arch"]: run["status"] for run in json.loads(outcome.out)["runs"]}
    assert outcome.code == 1
    assert statuses["fcn"] == "failed"
    assert set(statuses) == {"fcn", "cnn"}


# What it prints


def test_the_real_process_prints_tables_on_stdout_and_nothing_on_stderr(cli, tmp_path):
    outcome = cli(*ONE)
    assert (outcome.code, outcome.err) == (0, "")
    assert "cnn-10k" in outcome.out
    assert "Results on the sample set" in outcome.out
    assert "NOT FASHION-MNIST" in outcome.out
    assert "\x1b" not in outcome.out
    [(_, status)] = stored(tmp_path)
    assert status == "finished"


def test_json_is_one_document_and_nothing_else(here):
    outcome = here(*ONE, "--json", "--seeds", "2", "--epochs", "2")
    document = json.loads(outcome.out, parse_constant=pytest.fail)
    assert (outcome.code, outcome.err) == (0, "")
    assert (document["schema"], document["dataset"]) == (1, "sample")
    assert [(run["seed"], run["status"]) for run in document["runs"]] == [
        (0, "finished"),
        (1, "finished"),
    ]
    for run in document["runs"]:
        assert (run["weights"], run["epochs"], len(run["history"])) == (9516, 2, 2)
        assert 0 <= run["test_accuracy"] <= 100
        low, high = run["test_accuracy_ci95"]
        assert low <= run["test_accuracy"] <= high


def test_jsonl_is_one_event_a_line_in_order(here):
    outcome = here(*ONE, "--jsonl", "--epochs", "2")
    events = [json.loads(line, parse_constant=pytest.fail) for line in outcome.out.splitlines()]
    kinds = [event["event"] for event in events if event["event"] != "progress"]
    assert (outcome.code, outcome.err) == (0, "")
    assert kinds == ["run_started", "epoch_ended", "epoch_ended", "run_finished"]
    assert len({event["run_id"] for event in events}) == 1


def test_csv_is_one_run_a_line(here):
    outcome = here(*ONE, "--csv", "--seeds", "2")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert (outcome.code, outcome.err) == (0, "")
    assert [(row["model"], row["seed"]) for row in rows] == [("cnn-10k", "0"), ("cnn-10k", "1")]


@pytest.mark.parametrize(("option", "begins"), [("--markdown", "**Re"), ("--latex", "\\begin{t")])
def test_markdown_and_latex_are_the_tables(option, begins, here):
    outcome = here(*ONE, option)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(begins)
    assert "cnn-10k" in outcome.out


def test_the_same_seed_gives_the_same_weights_in_another_process(cli, here):
    digests = {
        json.loads(run(*ONE, "--json").out)["runs"][0]["weights_sha256"] for run in (cli, here)
    }
    assert len(digests) == 1


def test_every_setting_on_the_command_line_reaches_the_run(here):
    given = {
        "batch_size": 300,
        "lr": 0.002,
        "optimizer": "adam",
        "schedule": "cosine",
        "dropout": 0.25,
        "init": "xavier",
        "activation": "tanh",
        "weight_decay": 0.125,
        "label_smoothing": 0.0625,
        "augment": "flip",
        "erase": 6,
        "mixup": 0.25,
        "ema": 0.5,
    }
    options = [
        part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)
    ]
    [run] = json.loads(here(*SMALL, "--hidden", "5", *map(str, options), "--json").out)["runs"]
    assert {name: run["settings"][name] for name in given} == given
    assert (run["shape"], run["epochs"], run["threads"]) == ([5], 1, 1)
    assert run["kernels"] == "torch"


def test_a_budget_is_trained_with_the_solvers_widest_shape(here):
    [solved, *_] = json.loads(here("models", "--arch", "cnn", "--budget", "9k", "--json").out)[
        "models"
    ]
    outcome = here(*SMALL, "--arch", "cnn", "--budget", "9k", "--json")
    [run] = json.loads(outcome.out)["runs"]
    assert (run["shape"], run["budget"], run["model"]) == (solved["shape"], 9_000, None)


@pytest.mark.parametrize("arch", ["resnet", "dsconv"])
def test_channels_are_those_of_the_family_named(here, arch):
    outcome = here(*SMALL, "--arch", arch, "--channels", "3,4,4", "--json")
    [run] = json.loads(outcome.out)["runs"]
    assert (run["arch"], run["shape"], run["status"]) == (arch, [3, 4, 4], "finished")
    assert run["weights"] == FAMILIES[arch].weights((3, 4, 4))
    assert run["report_weights"] is None


def test_a_run_of_a_family_the_report_lacks_is_shown_without_its_rule(here):
    trained = here(*SMALL, "--arch", "resnet", "--channels", "3,4", "--json")
    [run] = json.loads(trained.out)["runs"]
    shown = here("runs", "show", run["id"])
    assert (shown.code, shown.err) == (0, "")
    assert "resnet 1-3-4-10" in shown.out
    assert "report's rule" not in shown.out


def test_models_for_a_budget_are_of_every_family(here):
    models = json.loads(here("models", "--budget", "37k", "--json").out)["models"]
    assert list(dict.fromkeys(model["arch"] for model in models)) == list(FAMILIES)
    reported = {model["arch"] for model in models if model["report_weights"] is not None}
    assert reported == {"fcn", "cnn"}
    assert "ResNet" in here("models", "--budget", "37k").out


def test_the_help_names_every_family(here):
    said = here("--help").out
    assert all(arch in said for arch in FAMILIES)


def test_the_environment_names_the_store(here, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONTUI_STORE", str(tmp_path / "mine.sqlite3"))
    assert here(*ONE, "--json").code == 0
    assert [file.name for file in tmp_path.rglob("*.sqlite3")] == ["mine.sqlite3"]


def test_the_environment_names_the_data(here, tiny_archives, monkeypatch):
    monkeypatch.setenv("FASHIONTUI_DATA_DIR", str(tiny_archives.folder))
    outcome = here(*ONE, "--data", "auto", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["dataset"] == "fashion-mnist"


def test_real_fashion_mnist_is_trained_beside_the_reports_figures(here, real_data):
    outcome = here(
        *("--batch", "--model", "fcn-50k", "--epochs", "1", "--threads", "1", "--precision"),
        *("fp32", "--data", "fashion-mnist", "--data-dir", str(real_data), "--markdown"),
    )
    assert (outcome.code, outcome.err) == (0, "")
    [row] = [line for line in outcome.out.splitlines() if line.startswith("| fcn-50k ")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == "49,755 (49,255)"
    assert cells[-2] == "87.96 ± 2.09"
    assert float(cells[-1]) == pytest.approx(float(cells[7]) - 87.96, abs=0.006)


# Ctrl+C


@contextmanager
def started(folder, *arguments, under=()):
    """The program under way in a folder; gone at the end, whatever came of the test."""
    with subprocess.Popen(
        [*under, sys.executable, "-m", "fashiontui", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_ends_within_two_seconds_with_the_run_kept_as_stopped(tmp_path):
    with started(tmp_path, *ONE, "--epochs", "10000", "--jsonl") as process:
        while json.loads(process.stdout.readline())["event"] != "epoch_ended":
            pass
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        _, err = process.communicate(timeout=30)
        took = time.monotonic() - sent
    assert process.returncode == 130
    assert took < 2
    assert "Traceback" not in err
    [(_, status)] = stored(tmp_path)
    assert status == "stopped"


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_keeps_what_is_finished_in_the_document(tmp_path):
    short = tmp_path / "first.toml"
    short.write_text('[settings]\nepochs = 1\n[[case]]\nfamily="cnn"\nsettings={epochs=9999}')
    with started(
        tmp_path,
        *("--batch", "--data", "sample", "--threads", "1", "--precision", "fp32", "--json"),
        *("--model", "fcn-50k", "--model", "cnn-10k"),
        *("--recipe", str(short), "--store", str(tmp_path / "runs.sqlite3")),
    ) as process:
        deadline = time.monotonic() + 60
        while "running" not in dict(map(reversed, safely_stored(tmp_path))) or (
            len(safely_stored(tmp_path)) < 2
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert [run["status"] for run in json.loads(out)["runs"]] == ["finished", "stopped"]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_stopped_batch_goes_on_with_resume_as_if_it_had_not_been_stopped(tmp_path):
    asked = (*ONE, "--epochs", "20")
    with started(tmp_path, *asked, "--jsonl") as process:
        while json.loads(process.stdout.readline())["event"] != "epoch_ended":
            pass
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "continue the one under way with: fashiontui --batch --resume" in err
    with started(tmp_path, "--batch", "--data", "sample", "--resume", "--json") as process:
        out, _ = process.communicate(timeout=60)
    [resumed] = json.loads(out)["runs"]
    with started(tmp_path, *asked, "--json", "--store", "whole.sqlite3") as process:
        out, _ = process.communicate(timeout=60)
    [whole] = json.loads(out)["runs"]
    assert resumed["weights_sha256"] == whole["weights_sha256"]
    learned = ("epoch", "train_loss", "val_loss", "val_accuracy", "lr")
    assert [[e[name] for name in learned] for e in resumed["history"]] == [
        [e[name] for name in learned] for e in whole["history"]
    ]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_second_ctrl_c_leaves_at_once_even_from_a_locked_store(tmp_path):
    where = ("--store", "runs.sqlite3")
    with started(tmp_path, *ONE, *where, "--epochs", "10000", "--jsonl") as process:
        while json.loads(process.stdout.readline())["event"] != "epoch_ended":
            pass
        with closing(sqlite3.connect(tmp_path / "runs.sqlite3", isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            time.sleep(1)  # by now it waits for the lock to store an epoch
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            sent = time.monotonic()
            process.communicate(timeout=30)
            took = time.monotonic() - sent
            lock.execute("ROLLBACK")
    assert process.returncode == 130
    assert took < 1


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_signal_ends_the_process_in_two_seconds_even_from_a_locked_store(tmp_path):
    where = ("--store", "runs.sqlite3")
    with started(tmp_path, *ONE, *where, "--epochs", "10000", "--jsonl") as process:
        while json.loads(process.stdout.readline())["event"] != "epoch_ended":
            pass
        with closing(sqlite3.connect(tmp_path / "runs.sqlite3", isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            sent = time.monotonic()
            _, err = process.communicate(timeout=30)
            took = time.monotonic() - sent
            lock.execute("ROLLBACK")
    assert process.returncode == 143
    assert took < 2
    assert "finished epochs are kept, continue with: fashiontui --batch --resume" in err


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_batch_under_nohup_outlives_its_terminal(tmp_path):
    with started(tmp_path, *ONE, "--epochs", "10", "--jsonl", under=["nohup"]) as process:
        while json.loads(process.stdout.readline())["event"] != "epoch_ended":
            pass
        process.send_signal(signal.SIGHUP)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["status"] == "finished"


def test_resume_with_nothing_to_continue_says_so(here):
    outcome = here("--batch", "--resume", "--store", "runs.sqlite3")
    assert outcome.code == 0
    assert "no run waits to be continued" in outcome.err


def test_resume_passes_over_runs_that_another_process_took_meanwhile(here, tmp_path, monkeypatch):
    where = str(tmp_path / "runs.sqlite3")
    store = Store(where)
    spec = structs.replace(made_spec(epochs=1, dataset="sample"), device="cpu")
    for _ in range(3):
        events = train(spec, sample_set(), Placement(torch.device("cpu"), "fp32", 1), store)
        next(events)
        events.close()
    first, second, third = store.unfinished()
    unfinished = Store.unfinished

    def others_are_quick(opened):
        waiting = unfinished(opened)
        store.resume(first)
        return waiting

    resume = Store.resume

    def others_delete(opened, run_id):
        if run_id == second:
            store.delete(second)
        return resume(opened, run_id)

    monkeypatch.setattr(Store, "unfinished", others_are_quick)
    monkeypatch.setattr(Store, "resume", others_delete)
    outcome = here("--batch", "--data", "sample", "--resume", "--json", "--store", where)
    store.close()
    assert outcome.code == 0
    assert f"Run {first} is running" in outcome.err
    assert f"no run '{second}'" in outcome.err
    [resumed] = json.loads(outcome.out)["runs"]
    assert (resumed["id"], resumed["status"]) == (third, "finished")


@pytest.mark.parametrize("option", [("--model", "fcn-50k"), ("--epochs", "3"), ("--seeds", "2")])
def test_resume_refuses_other_settings(option, here):
    outcome = here("--batch", "--resume", *option)
    assert outcome.code == 2
    assert f"leave out {option[0]}" in outcome.err


def safely_stored(tmp_path):
    """The stored rows, or none while the store is being made."""
    try:
        return stored(tmp_path)
    except sqlite3.OperationalError:
        return []


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "fashiontui", "models"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), err) == (0, b"")


def test_a_reader_of_events_that_leaves_stops_the_run_and_is_no_error(tmp_path):
    with started(tmp_path, *ONE, "--epochs", "10000", "--jsonl") as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert (process.wait(timeout=30), err) == (0, "")
    [(_, status)] = stored(tmp_path)
    assert status == "stopped"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("output", ["--json", "--jsonl", "--markdown", None])
def test_results_that_cannot_be_written_are_one_sentence_and_the_run_is_kept(output, tmp_path):
    arguments = [*ONE, *([output] if output else [])]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fashiontui", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "fashiontui: Cannot write to stdout: No space left on device; "
        "what was trained is kept, see: fashiontui runs\n"
    )
    [(_, status)] = stored(tmp_path)
    assert status == ("stopped" if output == "--jsonl" else "finished")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_narration_that_cannot_be_written_is_not_missed(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fashiontui", *SMALL, *NAN, "--json"],
            stdout=subprocess.PIPE,
            stderr=full,
            cwd=tmp_path,
        )
    assert done.returncode == 1
    [run] = json.loads(done.stdout)["runs"]
    assert run["status"] == "failed"


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_closed_streams_are_as_good_as_devnull(tmp_path):
    command = f'exec "{sys.executable}" -m fashiontui {" ".join(ONE)} <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path).returncode == 0
    [(_, status)] = stored(tmp_path)
    assert status == "finished"


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
def test_events_go_to_the_file_even_where_progress_is_shown(tmp_path):
    shown, terminal = os.openpty()
    file = tmp_path / "events.jsonl"
    with file.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "fashiontui", *ONE, "--jsonl"],
            stdout=out,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm"},
            cwd=tmp_path,
        )
    os.close(terminal)
    drawn = b""
    with suppress(OSError):  # EIO: nobody has the terminal any more
        while chunk := os.read(shown, 65536):
            drawn += chunk
    os.close(shown)
    assert process.wait(timeout=30) == 0
    events = [json.loads(line)["event"] for line in file.read_text().splitlines()]
    assert (events[0], events[-1]) == ("run_started", "run_finished")
    assert b"epoch_ended" not in drawn


# models and runs


def test_models_lists_the_seven_with_both_counts(here):
    outcome = here("models", "--json")
    models = json.loads(outcome.out)["models"]
    assert [model["model"] for model in models] == list(REPORT_MODELS)
    assert [model["report_weights"] for model in models] == [
        model.report_weights for model in REPORT_MODELS.values()
    ]


def test_models_of_one_family_are_that_familys(here):
    models = json.loads(here("models", "--arch", "cnn", "--json").out)["models"]
    assert {model["arch"] for model in models} == {"cnn"}
    assert len(models) == 4


def test_models_for_a_budget_are_the_solvers_shapes_widest_first(here):
    outcome = here("models", "--arch", "fcn", "--budget", "37k", "--json")
    models = json.loads(outcome.out)["models"]
    assert len(models) > 1
    assert all(0.97 * 37_000 <= model["weights"] <= 37_000 for model in models)
    assert all((model["model"], model["budget"]) == (None, 37_000) for model in models)
    widths = [max(model["shape"]) for model in models]
    assert widths == sorted(widths, reverse=True)


def test_models_are_printed_whole_where_nobody_watches(here):
    outcome = here("models")
    assert (outcome.code, outcome.err) == (0, "")
    for cell in ("100,968", "99,898", "784-112-106-10", "over budget", "conv2 64×14×14: 64,064"):
        assert cell in outcome.out
    assert "…" not in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [("--budget", "5"), ("--arch", "rnn"), ("--budget", "x"), ("--nope",)],
    ids=" ".join,
)
def test_wrong_usage_of_models_is_one_sentence(arguments, here):
    is_refused(here("models", *arguments), 2)


@pytest.fixture
def two_runs(here):
    """Ids of two stored runs, the newest first."""
    assert here(*ONE, "--seeds", "2").code == 0
    return [run["id"] for run in json.loads(here("runs", "list", "--json").out)["runs"]]


def test_runs_are_listed_newest_first(two_runs, here):
    listed = json.loads(here("runs", "list", "--json").out)
    assert listed["schema"] == 1
    assert [run["seed"] for run in listed["runs"]] == [1, 0]
    printed = here("runs", "list").out
    assert printed.index(two_runs[0]) < printed.index(two_runs[1])


def test_a_run_is_shown_by_the_beginning_of_its_id(two_runs, here):
    shown = json.loads(here("runs", "show", two_runs[0][:11], "--json").out)
    assert (shown["id"], shown["status"]) == (two_runs[0], "finished")
    assert shown["test_accuracy_ci95"]
    printed = here("runs", "show", two_runs[0])
    assert printed.code == 0
    assert "cnn-10k" in printed.out
    assert "9,516" in printed.out


def test_a_deleted_run_is_gone(two_runs, here):
    outcome = here("runs", "delete", two_runs[0])
    assert (outcome.code, outcome.out) == (0, "")
    left = json.loads(here("runs", "list", "--json").out)["runs"]
    assert [run["id"] for run in left] == two_runs[1:]


@pytest.mark.parametrize("action", ["show", "delete"])
def test_a_run_that_is_not_there_is_wrong_usage(action, here):
    is_refused(here("runs", action, "nope"), 2, "There is no run 'nope'")


def test_an_empty_store_lists_no_runs(here):
    assert json.loads(here("runs", "list", "--json").out)["runs"] == []


def test_the_version_is_printed(here):
    from fashiontui import __version__

    assert here("--version").out == f"fashiontui {__version__}\n"


def test_a_folder_no_system_can_name_is_wrong_usage():
    with pytest.raises(UsageError, match="names no folder"):
        data_folders(Path("~r\0x"))
