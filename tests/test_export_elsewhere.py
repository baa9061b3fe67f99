"""``fashiontui export`` to other programs: read back by their own readers."""

import math
import sys
import warnings
from contextlib import closing

import pytest
from making import made_epoch, made_record
from test_export_commands import is_refused, without

from fashiontui.store import Store

IDS = ("a00000000000", "b00000000000")


@pytest.fixture
def kept(tmp_path):
    """A store with two runs that have no weights here."""
    where = str(tmp_path / "runs.sqlite3")
    with closing(Store(where)) as store:
        for seed, run_id in enumerate(IDS):
            store.restore(made_record("cnn-20k", seed=seed, run_id=run_id))
    return where


@pytest.fixture
def trained(here, tmp_path):
    """Id of a run in ``runs.db`` on the sample set, with its weights."""
    small = ("--threads", "1", "--precision", "fp32", "--hidden", "8", "--epochs", "1")
    told = here("--batch", "--data", "sample", *small, "--csv", "--store", "runs.db")
    assert told.code == 0, told.err
    return told.out.splitlines()[1].split(",")[0]


def test_a_network_is_written_and_said_how_it_did(here, trained, tmp_path):
    told = here("export", "model", "n.safetensors", trained, "--store", "runs.db")
    assert (told.code, told.out) == (0, "")
    assert told.err.startswith(f"Wrote fcn 784-8-10, run {trained}, to n.safetensors: ")
    told = here("export", "model", "n.onnx", trained[:5], "--int8", "--store", "runs.db")
    assert (told.code, told.out) == (0, "")
    said = told.err.splitlines()
    assert "for 6,370 weights" in said[0]
    assert "agree on 1,000 of 1,000 test images" in said[1]
    assert said[2].startswith("In int8, ")
    assert (tmp_path / "n.onnx").stat().st_size < 12_000


def test_networks_that_cannot_be_written_are_one_sentence(here, trained, kept, tmp_path):
    ask = ("export", "model")
    (tmp_path / "there.onnx").write_text("precious")
    for arguments, said in (
        (("n.onnx", "ffff"), "There is no run 'ffff'"),
        (("n.pt", trained), "n.pt should end in .safetensors or .onnx"),
        (("n.safetensors", trained, "--int8"), "--int8 is for .onnx files"),
        (("there.onnx", trained), "there.onnx is there already"),
    ):
        is_refused(here(*ask, *arguments, "--store", "runs.db"), said)
    is_refused(
        here(*ask, "n.onnx", "a", "--store", kept),
        f"The weights of run {IDS[0]} are not on this machine",
    )
    assert not list(tmp_path.glob("n.*"))


def test_onnx_without_its_packages_says_what_to_install(here, trained, monkeypatch):
    without(monkeypatch, "onnxscript")
    told = here("export", "model", "n.onnx", trained, "--store", "runs.db")
    is_refused(told, "pip install 'fashiontui[onnx]'")


def test_tensorboard_reads_its_event_files_back(here, kept, tmp_path):
    told = here("export", "tensorboard", "logs", "--store", kept)
    assert (told.code, told.out, told.err) == (0, "", "Wrote 2 runs into logs.\n")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folders = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert folders == [f"cnn-20k-seed{seed}-{run_id}" for seed, run_id in enumerate(IDS)]
    read = EventAccumulator(str(tmp_path / "logs" / folders[1])).Reload()
    made, epoch = made_record("cnn-20k"), made_epoch()
    [loss] = read.Scalars("loss/train")
    assert (loss.step, loss.value) == (1, epoch.train_loss)
    assert math.isclose(loss.wall_time, made.created.timestamp() + 10.0)
    [test] = read.Scalars("accuracy/test")
    assert math.isclose(test.value, made.test_accuracy, rel_tol=1e-6)
    assert "_hparams_/session_start_info" in read.summary_metadata
    is_refused(here("export", "tensorboard", "logs", "--store", kept), "is there already; --force")
    assert here("export", "tensorboard", "logs", "--force", "--store", kept).code == 0
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == folders
    (tmp_path / "file").write_text("precious")
    is_refused(here("export", "tensorboard", "file", "--store", kept), "Cannot make the folder")


def test_mlflow_lists_the_runs_and_gets_none_twice(here, kept, tmp_path):
    with warnings.catch_warnings():
        # MLflow's own use of SQLAlchemy, Pydantic and others, which it has to mend itself.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=UserWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        told = here("export", "mlflow", "ml.db", "a", "--store", kept)
        assert (told.code, told.out) == (0, ""), told.err
        assert told.err.endswith("Wrote 1 run to ml.db, 0 were already there.\n")
        told = here("export", "mlflow", "ml.db", "--store", kept)
        assert told.err.endswith("Wrote 1 run to ml.db, 1 was already there.\n")
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{tmp_path / 'ml.db'}")
        experiment = client.get_experiment_by_name("fashiontui")
        runs = client.search_runs([experiment.experiment_id])
        assert {run.data.tags["fashiontui.run"] for run in runs} == set(IDS)
        run = next(run for run in runs if run.data.params["seed"] == "1")
        assert run.info.status == "FINISHED"
        assert run.info.run_name == "cnn-20k seed 1"
        assert run.data.params["weights"] == "19306"
        assert math.isclose(run.data.metrics["test_accuracy"], 88.0)
        [loss] = client.get_metric_history(run.info.run_id, "train_loss")
        assert (loss.step, loss.value) == (1, 0.75)


def test_what_mlflow_cannot_write_to_is_one_sentence(here, kept):
    is_refused(here("export", "mlflow", "gopher://x", "--store", kept), "MLflow knows no address")


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_missing_package_is_one_sentence(name, here, kept, monkeypatch):
    without(monkeypatch, name)
    for loaded in [
        module for module in sys.modules if module.startswith("torch.utils.tensorboard")
    ]:
        monkeypatch.delitem(sys.modules, loaded)
    is_refused(here("export", name, "there", "--store", kept), f"'fashiontui[{name}]'")
