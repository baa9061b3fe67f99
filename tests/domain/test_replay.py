"""A replay tells at each moment what was known then, and no more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import made_epoch, made_inside, made_record, made_spec

from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.replay import LASTS, replay_of

EPOCHS = tuple(made_epoch(n, val_accuracy=80 + n, train_seconds=2.5 * n) for n in range(1, 7))
RECORD = replace(
    made_record(spec=made_spec(epochs=6, batch_size=512), train_seconds=15.0),
    epochs=EPOCHS,
    inside=(made_inside(2), replace(made_inside(3), count=0, pixels=b""), made_inside(4)),
)
REPLAY = replay_of(RECORD)


@given(st.floats(0, 20))
def test_epochs_are_there_once_they_have_ended(seconds):
    history = REPLAY.at(seconds)
    assert history.epochs == [epoch for epoch in EPOCHS if epoch.train_seconds <= seconds]
    assert (history.finished is not None) == (seconds >= REPLAY.seconds)
    assert history.train_seconds == pytest.approx(min(seconds, 15.0))


@given(st.floats(0, 14.9), st.floats(0, 14.9))
def test_a_replay_never_goes_back(first, second):
    earlier, later = sorted((first, second))
    assert REPLAY.at(earlier).steps_done <= REPLAY.at(later).steps_done
    assert REPLAY.at(later).steps_done <= REPLAY.at(later).steps == 6 * (54_000 // 512)


def test_pictures_are_those_of_the_newest_epoch_that_has_some():
    shown = [REPLAY.at(2.5 * epoch).first_layer for epoch in range(6)]
    assert [one and one.epoch for one in shown] == [None, None, 2, 2, 4, 4]


def test_it_ends_as_the_run_ended():
    finished = REPLAY.at(99).finished
    assert (finished.status, finished.test) == (Status.FINISHED, RECORD.test)
    failed = replay_of(replace(RECORD, status=Status.FAILED, cause="It fell over."))
    assert failed.at(99).finished.cause == "It fell over."


def test_jumps_end_at_ends_of_epochs():
    assert REPLAY.end_of_epoch(0.0, 1) == 2.5
    assert REPLAY.end_of_epoch(2.5, 1) == 5.0
    assert REPLAY.end_of_epoch(5.0, -1) == 2.5
    assert REPLAY.end_of_epoch(1.0, -1) == 0.0
    assert REPLAY.end_of_epoch(15.0, 1) == 15.0


@given(st.floats(0.1, 50_000))
def test_by_itself_it_lasts_no_longer_than_one_likes_to_watch(seconds):
    last = made_epoch(1, train_seconds=seconds)
    replayed = replay_of(replace(RECORD, epochs=(last,)))
    assert replayed.seconds / replayed.speed <= LASTS


def test_a_run_without_epochs_is_not_replayed():
    with pytest.raises(UsageError, match="has no finished epoch to replay; c continues it"):
        replay_of(replace(RECORD, epochs=(), status=Status.STOPPED))
