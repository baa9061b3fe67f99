"""Networks that learn what a stored one answers, wherever they train."""

import io
import json
from contextlib import closing
from dataclasses import replace

import pytest
import torch
from making import made_record, made_spec
from msgspec import structs
from rich.console import Console
from torch.nn import functional as F

from fashiontui import estimate
from fashiontui.cluster import _as_arrays, _as_dataset
from fashiontui.data.mapped import read_mapped, write_mapped
from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import EpochEnded, Status
from fashiontui.domain.recipe import Settings
from fashiontui.domain.results import of_one_recipe, results
from fashiontui.domain.space import parse_space
from fashiontui.engine import Placement, begin, train
from fashiontui.engine.stacked import train_stack
from fashiontui.export import report, tables
from fashiontui.export.documents import runs_document
from fashiontui.export.terminal import print_run
from fashiontui.runner import resume, run
from fashiontui.store import Store
from fashiontui.store.teachers import teacher_name
from fashiontui.teachers import taught
from fashiontui.tui.screens.details import Details

CPU = Placement(torch.device("cpu"), "fp32", 1)
ONE = ("--batch", "--data", "sample", "--threads", "1", "--precision", "fp32", "--hidden", "8")
NAME = "0123456789ab"


@pytest.fixture
def store(tmp_path):
    with closing(Store(str(tmp_path / "runs.sqlite3"))) as opened:
        yield opened


@pytest.fixture
def teacher(store):
    """The record of a finished run that is fit to teach."""
    list(run(made_spec("cnn", (2,), dataset="sample"), sample_set(), CPU, store))
    [record] = store.runs()
    return record


def pupil_of(store, teacher, **settings):
    return made_spec(dataset="sample", teacher=teacher_name(store, [teacher.id]), **settings)


def with_answers(answers):
    return replace(sample_set(), answers={NAME: answers})


def test_answers_are_the_probabilities_that_the_teacher_gives_each_training_image(store, teacher):
    pupil = pupil_of(store, teacher)
    answers = taught(sample_set(), [pupil], store).answers[pupil.settings.teacher]
    assert answers.shape == (len(sample_set().labels), 10)
    assert torch.allclose(answers.sum(1), torch.ones(len(answers)))
    right = (answers.argmax(1) == sample_set().labels).double().mean().item()
    assert 100 * right == pytest.approx(teacher.val_accuracy, abs=12)


def test_several_teachers_teach_the_mean_of_their_answers(store, teacher):
    list(run(structs.replace(teacher.spec, seed=1), sample_set(), CPU, store))
    ids = [record.id for record in store.runs()]
    name = teacher_name(store, ids)
    assert name == teacher_name(store, reversed(ids))
    each = [made_spec(dataset="sample", teacher=teacher_name(store, [one])) for one in ids]
    both = made_spec(dataset="sample", teacher=name)
    answers = taught(sample_set(), [*each, both], store).answers
    mean = sum(answers[spec.settings.teacher] for spec in each) / 2
    assert torch.allclose(answers[name], mean)


def test_taught_runs_are_told_from_others_by_their_recipe(store, teacher):
    pupil = pupil_of(store, teacher)
    list(run(pupil, taught(sample_set(), [pupil], store), CPU, store))
    assert pupil.recipe_title == f"{pupil.recipe}, taught"
    [row, other] = store.board()
    assert (row.recipe, other.recipe) == (pupil.recipe_title, teacher.spec.recipe)
    assert row.matches("taught")
    assert not other.matches("taught")


def test_people_read_of_a_taught_run_and_programs_get_the_bare_recipe(capsys):
    pupil = made_record(spec=made_spec(model="fcn-50k", teacher=NAME))
    [row] = report._runs([pupil]).rows
    print_run(pupil)
    details = Console(width=200, file=io.StringIO())
    details.print(Details(pupil)._facts())
    [made, told] = tables._recipes(results([made_record(run_id="1" * 12), pupil]))
    assert (row[2], told) == (pupil.spec.recipe_title, pupil.spec.recipe_title)
    assert made == pupil.spec.recipe
    for said in (capsys.readouterr().out, details.file.getvalue()):
        assert f"{pupil.spec.recipe}, taught: " in said
    assert runs_document("sample", [pupil])["runs"][0]["recipe"] == pupil.spec.recipe


def test_taught_runs_are_not_compared_with_others_as_of_one_recipe():
    others = [made_record(name, run_id=name) for name in ("fcn-50k", "fcn-100k")]
    spec = made_spec(model="fcn-200k", teacher=NAME)
    found = of_one_recipe(results([*others, made_record(spec=spec)]))
    assert [result.title for result in found] == ["fcn-50k", "fcn-100k"]


def test_too_many_teachers_are_refused(store):
    for seed in range(11):
        list(run(made_spec(dataset="sample", seed=seed), sample_set(), CPU, store))
    with pytest.raises(UsageError, match="10 teachers at most, not 11"):
        teacher_name(store, [record.id for record in store.runs()])


def test_a_teacher_that_is_as_sure_as_the_labels_teaches_what_they_teach():
    sure = F.one_hot(sample_set().labels, 10).float()
    spec = made_spec(dataset="sample")
    taught_so = begin(structs.replace(spec, settings=spec.settings.replaced(teacher=NAME)), CPU)
    plainly = begin(spec, CPU)
    list(train(taught_so, with_answers(sure)))
    list(train(plainly, sample_set()))
    for one, two in zip(
        taught_so.net.model.parameters(), plainly.net.model.parameters(), strict=True
    ):
        assert torch.allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("mixup", [0.0, 0.3])
def test_a_stack_learns_from_a_teacher_what_each_seed_learns_alone(mixup):
    data = with_answers(torch.rand(len(sample_set().labels), 10).softmax(1))
    specs = [made_spec(seed=seed, teacher=NAME, mixup=mixup, batch_size=450) for seed in (0, 1)]
    states = {str(spec.seed): begin(spec, CPU) for spec in specs}
    list(train_stack(states, data))
    for state in states.values():
        alone = begin(state.spec, CPU)
        list(train(alone, data))
        for one, two in zip(
            state.net.model.parameters(), alone.net.model.parameters(), strict=True
        ):
            assert torch.allclose(one, two, atol=2e-3)


def test_a_pupil_that_was_stopped_goes_on_to_the_same_weights(store, teacher):
    pupil = pupil_of(store, teacher, epochs=3)
    data = taught(sample_set(), [pupil], store)
    list(run(pupil, data, CPU, store))
    events = run(pupil, data, CPU, store)
    next(event for event in events if isinstance(event, EpochEnded))
    events.close()
    stopped, whole, _ = store.runs()
    assert stopped.status is Status.STOPPED
    list(resume(store.resume(stopped.id), taught(sample_set(), [pupil], store), store))
    assert store.get(stopped.id).weights_sha256 == whole.weights_sha256


def test_resume_leaves_a_run_whose_teacher_is_gone_and_continues_the_others(here, tmp_path):
    with closing(Store(str(tmp_path / "runs.sqlite3"))) as store:
        list(run(made_spec(dataset="sample"), sample_set(), CPU, store))
        [teacher] = store.runs()
        for name in (teacher_name(store, [teacher.id]), "none"):
            spec = made_spec(dataset="sample", epochs=2, teacher=name)
            events = run(spec, taught(sample_set(), [spec], store), CPU, store)
            next(event for event in events if isinstance(event, EpochEnded))
            events.close()
        untaught, pupil, _ = [record.id for record in store.runs()]
        store.delete(teacher.id)
    outcome = here("--batch", "--resume", "--data", "sample", "--store", "runs.sqlite3")
    assert f"run {pupil} is left as it is: No run in " in " ".join(outcome.err.split())
    with closing(Store(str(tmp_path / "runs.sqlite3"))) as store:
        assert store.get(untaught).status is Status.FINISHED
        assert store.get(pupil).status is Status.STOPPED


def test_answers_go_with_the_images_to_other_processes_and_nodes(tmp_path):
    answers = torch.rand(len(sample_set().labels), 10)
    data = with_answers(answers)
    write_mapped(data, tmp_path / "images")
    for copy in (read_mapped(tmp_path / "images", "sample"), _as_dataset(_as_arrays(data))):
        assert copy.answers.keys() == {NAME}
        assert torch.equal(copy.answers[NAME], answers)
        assert torch.equal(copy.images, data.images)


def test_the_command_line_names_a_teacher_by_its_run_and_jobs_learn_the_same(here):
    [teacher] = json.loads(here(*ONE, "--epochs", "1", "--json").out)["runs"]
    taught_so = (*ONE, "--epochs", "1", "--seeds", "2", "--teacher", teacher["id"][:8], "--json")
    alone, beside = (
        json.loads(here(*taught_so, *jobs).out)["runs"] for jobs in ((), ("--jobs", "2"))
    )
    assert {run["settings"]["teacher"] for run in alone} == {teacher["weights_sha256"][:12]}
    assert [run["weights_sha256"] for run in alone] == [run["weights_sha256"] for run in beside]
    assert alone[0]["weights_sha256"] != teacher["weights_sha256"]


def test_who_stops_it_gets_the_images_back_without_answers(store, teacher):
    assert taught(sample_set(), [pupil_of(store, teacher)], store, lambda: True).answers == {}


def test_a_teacher_that_is_not_there_is_wrong_usage(here):
    outcome = here(*ONE, "--teacher", "3f2a")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("fashiontui: ") and "3f2a" in outcome.err


def test_a_run_that_is_not_finished_cannot_teach(store):
    events = run(made_spec(dataset="sample", epochs=99), sample_set(), CPU, store)
    next(event for event in events if isinstance(event, EpochEnded))
    events.close()
    with pytest.raises(UsageError, match="only finished runs can teach"):
        teacher_name(store, [store.runs()[0].id])


def test_a_teacher_of_other_images_is_refused(store, teacher):
    pupil = structs.replace(pupil_of(store, teacher), dataset="fashion-mnist")
    with pytest.raises(UsageError, match="has learnt from other images"):
        taught(sample_set(), [pupil], store)


def test_a_teacher_whose_weights_are_gone_is_refused(store, teacher):
    pupil = pupil_of(store, teacher)
    store.checkpoints.remove(teacher.id)
    with pytest.raises(UsageError, match="are not on this machine"):
        taught(sample_set(), [pupil], store)


def test_a_teacher_whose_run_was_deleted_is_refused(store, teacher):
    pupil = pupil_of(store, teacher)
    store.delete(teacher.id)
    with pytest.raises(UsageError, match="train their run again, or choose another teacher"):
        taught(sample_set(), [pupil], store)


def test_weights_that_are_not_those_the_run_ended_with_do_not_teach(store, teacher):
    pupil = pupil_of(store, teacher)
    list(run(structs.replace(teacher.spec, seed=1), sample_set(), CPU, store))
    other, _ = store.runs()
    content = store.checkpoints.find(other.id).read_bytes()
    store.checkpoints.write(teacher.id, content.replace(b'\\"seed\\":1', b'\\"seed\\":0'))
    with pytest.raises(UsageError, match="no longer those it ended with"):
        taught(sample_set(), [pupil], store)


def test_data_without_the_answers_are_refused_before_anything_is_trained():
    with pytest.raises(UsageError, match="not at hand"):
        next(train(begin(made_spec(teacher=NAME), CPU), sample_set()))


@pytest.mark.parametrize(
    ("space", "base"),
    [(f"settings.teacher = ['none', '{NAME}']", Settings()), ("", Settings(teacher=NAME))],
)
def test_a_study_takes_no_teacher(space, base):
    with pytest.raises(UsageError, match="trials have no teacher"):
        parse_space(space, "x").check(base)


def test_how_long_a_taught_run_takes_is_found_without_its_teacher(monkeypatch):
    monkeypatch.setattr(estimate, "choose_placement", lambda *_: CPU)
    [seconds] = estimate.seconds_of([made_spec(teacher=NAME, dataset="sample")], sample_set())
    assert seconds > 0
