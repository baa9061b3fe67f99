"""Both front ends see one story, folded from a run's events."""

from making import made_epoch, made_finished, made_progress, made_spec, made_started

from fashiontui.domain.events import FirstLayer, RunFinished, Status
from fashiontui.domain.history import History


def folded(*events):
    history = History()
    for event in events:
        history.fold(event)
    return history


def test_nothing_is_known_before_the_run_starts():
    history = folded()
    assert (history.steps, history.steps_done, history.train_seconds) == (0, 0, 0.0)
    assert history.seconds_left is None
    assert history.status is Status.RUNNING


def test_every_event_is_kept_in_order():
    events = [made_progress(1), made_progress(2), made_epoch(1), made_progress(3), made_epoch(2)]
    history = folded(made_started(), *events)
    assert [progress.step for progress in history.progress] == [1, 2, 3]
    assert [epoch.epoch for epoch in history.epochs] == [1, 2]
    assert history.started.spec == made_spec()


def test_the_first_layer_is_the_latest_one():
    first, second = (FirstLayer("a", epoch, 1, 5, bytes(25)) for epoch in (1, 2))
    assert folded(first, second).first_layer is second


def test_the_time_left_is_what_the_remaining_steps_take_at_the_pace_so_far():
    history = folded(made_started(), made_progress(step=2, train_seconds=4.0))
    assert history.steps == 7
    assert history.seconds_left == 10.0


def test_nothing_is_left_once_the_run_is_over():
    history = folded(made_started(), made_progress(2), made_finished())
    assert history.seconds_left == 0.0
    assert history.status is Status.FINISHED
    assert history.steps_done == history.steps


def test_a_stopped_run_keeps_the_steps_it_did():
    stopped = RunFinished("a", Status.STOPPED)
    history = folded(made_started(), made_progress(2), stopped)
    assert (history.status, history.steps_done) == (Status.STOPPED, 2)


def test_the_training_time_is_the_last_one_heard_of():
    assert folded(made_progress(1, 0.5), made_epoch(1, train_seconds=1.5)).train_seconds == 1.5
    assert folded(made_epoch(1, train_seconds=1.5), made_progress(9, 2.5)).train_seconds == 2.5
