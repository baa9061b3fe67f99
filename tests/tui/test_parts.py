"""The parts of the app that need no screen: queue, axes, config, board."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import fill, named_network, spec_of, story

from fashiontui.config import load_config
from fashiontui.domain.board import board_of, report_rows
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Progress, Scoring, Status
from fashiontui.domain.history import MAX_PROGRESS, History
from fashiontui.store.store import MEMORY, Store
from fashiontui.tui.queue import RunQueue
from fashiontui.tui.widgets.axes import around, epoch_ticks, labels, log_ticks, round_ticks
from fashiontui.tui.widgets.run_line import RunLine

SPEC = spec_of(named_network("fcn-50k"))


def test_jobs_come_in_the_order_they_are_moved_to() -> None:
    queue = RunQueue()
    first, second, third = queue.add([SPEC] * 3)
    queue.move(third.number, -2)
    queue.remove(second.number)
    assert queue.waiting == (third, first)
    assert queue.take() == third


def test_a_stopped_job_ends_and_holds_the_rest() -> None:
    queue = RunQueue()
    queue.add([SPEC] * 2)
    job = queue.take()
    assert job is not None
    queue.stop()
    assert queue.is_ending(job) and queue.held
    queue.done(job)
    assert not queue.is_ending(job)


def test_a_closed_queue_hands_out_nothing_and_ends_what_runs() -> None:
    queue = RunQueue()
    queue.add([SPEC] * 2)
    job = queue.take()
    assert job is not None
    queue.close()
    assert queue.is_ending(job)
    assert queue.take() is None


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_an_axis_reaches_past_its_values_to_round_ones_near_by(low: float, span: float) -> None:
    bottom, top = around(low, low + span)
    slack = 1e-6 * span
    assert low - span / 8 - slack <= bottom <= low + slack
    assert low + span - slack <= top <= low + span + span / 8 + slack


@pytest.mark.parametrize(
    ("epochs", "told"), [(2, "validation 50%"), (6, "test 50%")], ids=["midway", "at the end"]
)
def test_the_line_of_a_run_says_what_it_is_scored_on_and_how_far_that_is(
    epochs: int, told: str
) -> None:
    history = History()
    for event in story("5eed", SPEC, epochs, Status.RUNNING):
        history.fold(event)
    progress = history.progress[-1]
    history.fold(Scoring("5eed", 3_000, 6_000))
    assert told in RunLine()._figures(history, stopping=False)
    history.fold(progress)
    assert told not in RunLine()._figures(history, stopping=False)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 12))
def test_ticks_are_round_within_the_range_and_not_too_many(
    low: float, span: float, most: int
) -> None:
    ticks = round_ticks(low, low + span, most)
    assert 1 <= len(ticks) <= most + 1
    assert all(low - 1e-6 * span <= tick <= low + span + 1e-6 * span for tick in ticks)
    assert len(set(labels(ticks))) == len(ticks)


@given(st.floats(0, 1e4), st.floats(0.5, 1e4), st.integers(1, 20))
def test_epoch_ticks_are_whole_and_within_the_range(low: float, span: float, most: int) -> None:
    ticks = epoch_ticks(low, low + span, most)
    assert all(isinstance(tick, int) and low - 1e-6 <= tick <= low + span + 1e-6 for tick in ticks)
    assert len(ticks) <= most + 1


def test_log_ticks_are_ones_twos_and_fives() -> None:
    assert log_ticks(0.15, 2.3) == [0.2, 0.5, 1.0, 2.0]


def test_log_ticks_of_a_narrow_range_are_even() -> None:
    assert log_ticks(7.88, 12.1) == [8.0, 9.0, 10.0, 11.0, 12.0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("them = 'x'", "did you mean 'theme'?"),
        ("marker = 'blocks'", "marker should be 'ascii', 'auto', "),
        ("[keymap]\nx = 1", "keymap.x should be a text, not 1"),
        ("= broken", "not valid TOML"),
    ],
)
def test_a_config_that_cannot_be_used_says_why_in_one_sentence(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=complaint.replace("?", r"\?")) as raised:
        load_config(file)
    assert "\n" not in str(raised.value)


def test_ranks_go_by_validation_and_leave_the_report_out() -> None:
    store = Store(MEMORY)
    fill(store)
    board = board_of([*store.board(), *report_rows()])
    finished = [row for row in board.entries if row.status is Status.FINISHED]
    assert {*board.ranks} == {row.id for row in finished}
    best = max(finished, key=lambda row: row.val_accuracy or 0)
    assert board.ranks[best.id].number == 1


def test_a_board_row_says_what_the_whole_record_says() -> None:
    store = Store(MEMORY)
    fill(store)
    for row in store.board():
        record = store.get(row.id)
        assert row.title == record.spec.title
        assert row.weights == record.spec.weights
        assert row.val_accuracy == record.val_accuracy
        assert row.images_per_second == pytest.approx(record.images_per_second)
        interval = record.test_interval
        if interval is not None:
            assert row.test_margin == pytest.approx((interval[1] - interval[0]) / 2)


def test_a_deleted_run_comes_back_as_it_was() -> None:
    store = Store(MEMORY)
    fill(store)
    run_id = store.runs()[0].id
    before = store.get(run_id)
    store.delete(run_id)
    store.restore(before)
    assert store.get(run_id) == before


def test_a_long_history_keeps_its_newest_progress_and_stays_small() -> None:
    history = History()
    events = list(story("x", SPEC, 2, Status.RUNNING))
    history.fold(events[0])
    last = next(event for event in reversed(events) if isinstance(event, Progress))
    for step in range(10 * MAX_PROGRESS):
        history.fold(replace(last, step=step))
    assert len(history.progress) <= MAX_PROGRESS
    assert history.progress[-1].step == 10 * MAX_PROGRESS - 1
