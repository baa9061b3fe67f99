"""Studies: trials are runs, judged on validation; whatever interrupts a study, it ends the same."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import optuna
import pytest
from sqlalchemy import select, text

from fashiontui.data.sample import sample_set
from fashiontui.domain.budget import solve
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import EpochEnded, Status
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.shapes import family_named
from fashiontui.domain.space import parse_space
from fashiontui.domain.study import SHAPE, TrialState, plan_study, shape_from, written
from fashiontui.store import Store
from fashiontui.store.connection import connectable, studies_url
from fashiontui.store.store import MEMORY
from fashiontui.store.studies import StudyReader
from fashiontui.store.tables import runs as runs_table
from fashiontui.tuning import Limits, Studies, next_trial, score_chosen

BUDGET = 5_000
SPACE = """
[settings]
epochs = [4]
batch_size = [100, 200]
lr = { low = 1e-4, high = 1e-1, log = true }
optimizer = ["adam", "sgd"]
"""
NOWHERE = Path("/nonexistent")
DATA = sample_set()


def planned(space=SPACE, **how):
    """A study of small FCNs on the sample set."""
    recipe = load_recipe("fast", NOWHERE)
    where = {"dataset": "sample", "device": "cpu", "precision": "fp32", "threads": 1}
    return plan_study("fcn", BUDGET, parse_space(space, "made"), recipe, **{**where, **how})


@pytest.fixture
def studies():
    """In memory, where no checkpoint is kept."""
    with closing(Store(MEMORY)) as store, closing(Studies(store)) as opened:
        yield opened


@pytest.fixture
def kept(tmp_path):
    """In files."""
    with closing(Store(str(tmp_path / "runs.db"))) as store, closing(Studies(store)) as opened:
        yield opened


def trained(study, trials, target=None):
    """The study, once it has so many trials."""
    limits = Limits(trials, target)
    while (events := next_trial(study, limits, DATA, NOWHERE)) is not None:
        list(events)
    return study.studies.view(study.name)


def scored(study, target=None):
    """The chosen trial and its run."""
    scoring = score_chosen(study, target, DATA)
    while True:
        try:
            next(scoring)
        except StopIteration as end:
            return end.value


def drawn(view):
    """All of a study's trials that does not depend on how quick the machine was."""
    return [(t.number, t.state, dict(t.params), t.epochs, t.val_accuracy) for t in view.trials]


def interrupted(study, after, limits):
    """Take a trial and stop it after so many epochs."""
    events = next_trial(study, limits, DATA, NOWHERE)
    for event in events:
        if isinstance(event, EpochEnded) and event.epoch == after:
            break
    events.close()


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_the_same_study_twice_gives_the_same_trials(sampler, studies):
    spec = planned(sampler=sampler, seed=3)
    one, other = (trained(studies.begin(spec, name), 11) for name in ("one", "other"))
    assert drawn(one) == drawn(other)
    another = trained(studies.begin(planned(sampler=sampler, seed=4), "another"), 2)
    assert drawn(one)[:2] != drawn(another)


def test_an_interrupted_study_ends_as_if_it_had_not_been(kept, tmp_path):
    whole = trained(kept.begin(planned(), "whole"), 12)
    assert {t.state for t in whole.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    trained(kept.begin(planned(), "cut"), 5)
    for after in (1, 2):  # the same trial, twice
        with closing(Store(str(tmp_path / "runs.db"))) as store, closing(Studies(store)) as again:
            interrupted(again.open("cut"), after, Limits(12))
    assert drawn(trained(kept.open("cut"), 12)) == drawn(whole)
    assert len(kept.store.runs()) == 24


def test_processes_feed_one_study_and_when_one_is_killed_the_other_goes_on_with_its_trial(tmp_path):
    (tmp_path / "space.toml").write_text(SPACE)
    where = str(tmp_path / "runs.db")
    command = [
        *(sys.executable, "-m", "fashiontui", "tune", "--arch", "fcn", "--budget", str(BUDGET)),
        *("--space", "space.toml", "--data", "sample", "--trials", "12", "--json"),
        *("--device", "cpu", "--threads", "1", "--precision", "fp32", "--store", where),
    ]
    killed, other = (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
        for _ in range(2)
    )
    while not Path(where).exists() or not _runs_of(killed, where):
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    out, err = other.communicate()
    assert other.returncode == 0, err
    document = json.loads(out)
    assert [trial["number"] for trial in document["trials"]] == list(range(12))
    assert {trial["state"] for trial in document["trials"]} <= {"complete", "pruned"}
    runs = Store(where).runs()
    assert sorted(run.trial for run in runs) == list(range(12))
    scored = [run.id for run in runs if run.test_accuracy is not None]
    assert scored == [document["chosen"]["run"]["id"]]


def _runs_of(process, where):
    """Runs that a process trains at this moment."""
    with closing(Store(where)) as store, store._reading() as connection:
        query = select(runs_table).where(runs_table.c.owner_pid == process.pid)
        return connection.execute(query.where(runs_table.c.status == "running")).all()


def test_the_test_set_is_scored_once_and_for_the_chosen_trial_alone(kept):
    study = kept.begin(planned())
    view = trained(study, 5)
    assert [run.test_accuracy for run in kept.store.runs()] == [None] * 5
    trial, record = scored(study)
    assert trial == view.best
    assert record.val_accuracy == trial.val_accuracy
    assert record.test is not None and len(record.test.labels) == len(DATA.test_labels)
    assert [r.id for r in kept.store.runs() if r.test_accuracy is not None] == [record.id]
    assert scored(study)[1] == record


def test_a_chosen_trial_whose_weights_are_gone_is_trained_anew_as_an_ordinary_run(kept):
    study = kept.begin(planned())
    best = trained(study, 3).best
    kept.store.checkpoints.remove(best.run_id)
    _, record = scored(study)
    assert record.id != best.run_id
    assert (record.study, record.status) == (None, Status.FINISHED)
    assert record.test_accuracy is not None
    assert record.val_accuracy == best.val_accuracy
    assert scored(study)[1] == record


def test_every_trial_is_a_run_marked_as_one_and_the_batch_leaves_it_alone(kept):
    view = trained(kept.begin(planned(), "mine"), 12)
    runs = {run.id: run for run in kept.store.runs()}
    for trial in view.trials:
        run = runs[trial.run_id]
        assert (run.study, run.trial, run.spec) == (
            "mine", trial.number, view.spec.run_of(trial.params),
        )  # fmt: skip
        if trial.state is TrialState.PRUNED:
            assert run.status is Status.STOPPED
            assert run.cause.startswith(f"Pruned after epoch {trial.epochs}: with")
            assert kept.store.checkpoints.find(run.id) is None
        else:
            assert run.status is Status.FINISHED
    assert kept.store.unfinished() == []


def test_a_trial_that_diverges_has_failed_and_the_search_goes_on(studies):
    ruinous = 'settings = { epochs = [2], batch_size = [50], optimizer = ["sgd"], lr = [99.0], '
    ruinous += "weight_decay = [10.0], momentum = [0.0] }"
    view = trained(studies.begin(planned(ruinous)), 2)
    assert [trial.state for trial in view.trials] == [TrialState.FAILED] * 2
    assert view.choose(None) is None
    assert scored(studies.open(view.name)) is None


def test_a_trial_whose_checkpoint_is_gone_fails_and_is_tried_again(kept):
    study = kept.begin(planned())
    interrupted(study, 1, Limits(3))
    [run] = kept.store.runs()
    kept.store.checkpoints.remove(run.id)
    view = trained(study, 3)
    first, second, _ = view.trials
    assert first.state is TrialState.FAILED
    assert second.params == first.params
    assert second.state is TrialState.COMPLETE


def test_a_grid_is_tried_point_by_point_and_then_over(studies):
    space = 'settings = { epochs = [1], optimizer = ["adam", "sgd"], dropout = [0.0, 0.5] }'
    spec = planned(space, sampler="grid")
    view = trained(studies.begin(spec), None)
    points = {tuple(trial.params.values()) for trial in view.trials}
    assert len(points) == len(view.trials) == 4 * len(spec.shapes)


def test_shapes_are_the_solvers_for_each_share_of_the_budget(studies):
    spec = planned("shares = [0.5, 1.0]\n" + SPACE, sampler="random")
    family = family_named("fcn")
    legal = {*solve(family, BUDGET), *solve(family, BUDGET // 2)}
    assert {*spec.shapes} == legal
    view = trained(studies.begin(spec), 6)
    assert {shape_from(trial.params[SHAPE]) for trial in view.trials} <= legal


def test_two_objectives_end_in_a_pareto_set(studies):
    spec = planned("shares = [0.4, 0.6, 1.0]\nsettings = { epochs = [2] }", against="weights")
    view = trained(studies.begin(spec), 8)
    front = view.pareto
    assert {trial.state for trial in view.trials} == {TrialState.COMPLETE}
    for worse, better in pairwise(front):
        assert worse.weights < better.weights
        assert worse.val_accuracy < better.val_accuracy
    for trial in view.trials:
        assert any(
            good.weights <= trial.weights and good.val_accuracy >= trial.val_accuracy
            for good in front
        )
    assert view.choose(None) == view.best
    easy = view.pareto[0].val_accuracy - 1
    assert view.choose(easy) == view.pareto[0]


def test_a_target_ends_the_search_when_validation_exceeds_it_by_the_margin(studies):
    study = studies.begin(planned())
    best = trained(study, 4).best.val_accuracy
    easy = studies.begin(planned(seed=0), "easy")
    view = trained(easy, 40, target=best - 1)
    assert len(view.trials) <= 4
    assert view.trials[-1].val_accuracy >= best


def test_a_study_of_another_search_is_not_gone_on_with(studies):
    studies.begin(planned())
    with pytest.raises(UsageError, match="begun with sampler tpe; give the same"):
        studies.begin(planned(sampler="random"))
    with pytest.raises(UsageError, match="begun with another search space"):
        studies.begin(planned("shares = [0.5]"))
    with pytest.raises(UsageError, match="There is no study 'foo'; there are: fcn-5k"):
        studies.open("foo")
    with pytest.raises(UsageError, match=r"characters that can be shown, not '\\\\x1b'"):
        studies.begin(planned(), "\x1b")


def test_a_study_survives_on_postgres(postgres):
    with closing(Store(postgres)) as store, closing(Studies(store)) as studies:
        trained(studies.begin(planned(), "there"), 2)
    with closing(Store(postgres)) as store, closing(Studies(store)) as studies:
        view = trained(studies.open("there"), 3)
        assert [trial.number for trial in view.trials] == [0, 1, 2]
        assert scored(studies.open("there"))[1].test_accuracy is not None


def test_shapes_are_written_as_the_command_line_takes_them():
    assert written((112, 106)) == "112,106"
    assert shape_from("112,106") == (112, 106)


def test_a_study_read_without_optuna_is_the_same(kept):
    assert StudyReader(kept.store).read() == ([], None)
    for name, how in {"one": {}, "other": {"against": "weights", "sampler": "random"}}.items():
        trained(kept.begin(planned(**how), name), trials=3)
    kept.begin(planned(), "one").ask("left")
    with closing(StudyReader(kept.store)) as reader:
        assert reader.read() == (["other", "one"], kept.view("other"))
        assert reader.read("one") == (["other", "one"], kept.view("one"))
        assert reader.read("gone") is None


def test_a_stopped_trial_says_so_until_it_goes_on(kept):
    study, limits = kept.begin(planned(), "one"), Limits(trials=1)
    interrupted(study, 2, limits)
    with closing(StudyReader(kept.store)) as reader:
        for view in (kept.view("one"), reader.read("one")[1]):
            assert [trial.state for trial in view.trials] == [TrialState.STOPPED]
            assert not limits.met_by(view)
    with closing(next_trial(study, limits, DATA, NOWHERE)) as events:
        next(events)
        assert [trial.state for trial in kept.view("one").trials] == [TrialState.RUNNING]


def test_a_study_names_its_objectives_for_optunas_dashboard(kept):
    kept.begin(planned(against="time"), "one")
    found = optuna.load_study(study_name="one", storage=kept.url)
    assert found.metric_names == ["validation accuracy, %", "training time, s"]


def test_studies_that_optuna_keeps_in_another_way_are_left_to_it(kept):
    kept.begin(planned(), "one")
    with connectable(studies_url(kept.store.url)).begin() as connection:
        connection.execute(text("ALTER TABLE trial_params RENAME TO trial_parameters"))
    with closing(StudyReader(kept.store)) as reader:
        assert reader.read() is None
