"""Every key does what it says, driven through scripted runs without training."""

from typing import Any

import pytest
from driving import drive, press, settle, until
from scripted import ScriptedApp, named_network, spec_of, story
from textual.command import CommandList
from textual.pilot import Pilot
from textual.widgets import (
    Button,
    Collapsible,
    Input,
    Label,
    RadioButton,
    Static,
    TabbedContent,
)
from textual.widgets._collapsible import CollapsibleTitle

from fashiontui import paths
from fashiontui.config import Config
from fashiontui.domain.errors import ExitCode
from fashiontui.domain.events import RunFinished, RunStarted, Status
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.tui.choice import load_choice
from fashiontui.tui.keys import LAB_KEYS, keymap_complaints
from fashiontui.tui.messages import Failed
from fashiontui.tui.screens.confirm import Confirm
from fashiontui.tui.screens.data import ChooseData
from fashiontui.tui.screens.details import Details
from fashiontui.tui.screens.help import Help
from fashiontui.tui.widgets.columns import COLUMNS
from fashiontui.tui.widgets.network import BudgetInput, NetworkForm


def test_t_queues_one_run_for_each_seed() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.configure.field("seeds").value = "3"
        await press(pilot, "t")
        assert [job.spec.seed for job in app.queue.waiting] == [0, 1, 2]

    drive(scenario)


def test_seeds_are_typed_as_a_range_or_a_list_and_checked_at_once() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        seeds = app.lab.configure.field("seeds")
        seeds.control.focus()
        await press(pilot, "3", "minus")
        assert "a range like 0-4" in seeds.error
        await press(pilot, "t")
        assert app.queue.waiting == ()
        await press(pilot, "4", "comma", "9", "t")
        assert seeds.error == ""
        assert [job.spec.seed for job in app.queue.waiting] == [3, 4, 9]
        assert "×3" in str(app.lab.query_one("#train", Button).label)

    drive(scenario)


def test_finer_settings_unfold_and_nesterov_asks_for_sgd() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        form = app.lab.configure
        for group in ("#settings", "#finer"):
            form.query_one(group).query_one(CollapsibleTitle).focus()
            await press(pilot, "enter")
        form.field("momentum").value = "0.8"
        form.field("nesterov").value = "true"
        await settle(pilot)
        assert "needs the optimizer sgd" in form.field("nesterov").error
        form.field("optimizer").value = "sgd"
        await settle(pilot)
        assert form.field("nesterov").error == ""
        assert "2 set" in form.query_one("#finer", Collapsible).title
        await press(pilot, "t")
        settings = app.queue.waiting[0].spec.settings
        assert (settings.nesterov, settings.momentum, settings.optimizer) == (True, 0.8, "sgd")

    drive(scenario)


def test_a_queues_all_seven() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "a")
        assert [job.spec.model for job in app.queue.waiting] == list(REPORT_MODELS)

    drive(scenario)


@pytest.mark.parametrize(
    ("key", "model"), [("f2", "fcn-50k"), ("f5", "cnn-10k"), ("f8", "cnn-100k")]
)
def test_function_keys_set_up_the_reports_models(key: str, model: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, key)
        network = app.lab.query_one(NetworkForm).network
        assert network is not None
        assert (network.model, network.shape) == (model, REPORT_MODELS[model].shape)

    drive(scenario)


def test_arrows_choose_the_family_and_only_one_is_marked() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        form = app.lab.query_one(NetworkForm)
        for key, arch in (("right", "cnn"), ("left", "fcn"), ("f6", "cnn")):
            await press(pilot, key)
            assert form.network is not None and form.network.arch == arch
            assert [button.name for button in form.query(RadioButton) if button.value] == [arch]

    drive(scenario)


def test_budgets_are_solved_as_one_types_and_letters_stay_shortcuts() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        form = app.lab.query_one(NetworkForm)
        await press(pilot, "tab", "3", "7", "k")
        assert form.budget == "37k"
        assert form.network is not None and form.network.shape[0] > 1
        await press(pilot, "up")
        assert form.budget == "50k"
        await press(pilot, "a")
        assert form.budget == "50k"
        assert len(app.queue.waiting) == 7

    drive(scenario)


def test_a_field_says_what_is_wrong_and_nothing_is_queued() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.query_one("#settings", Collapsible).collapsed = False
        await settle(pilot)
        field = app.lab.configure.field("lr")
        field.value = "1000"
        await settle(pilot)
        assert "at most 100" in field.error
        await press(pilot, "t")
        assert app.queue.waiting == ()
        field.value = "1e-3"
        await settle(pilot)
        assert field.error == ""

    drive(scenario)


def test_brackets_in_a_complaint_are_shown_as_they_are() -> None:
    sentence = "Cannot use the store [/srv]: [Errno 13] Permission denied"

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.post_message(Failed(sentence, ExitCode.NO_STORE))
        app.lab.configure.field("recipe").error = "Expected '[/]' in line 1"
        await settle(pilot)
        assert sentence in next(iter(app._notifications)).message
        complaint = app.lab.configure.field("recipe").query_one(".complaint", Label)
        assert "'[/]'" in str(complaint.visual)
        await press(pilot, "d")
        app.screen._complain("[/tmp] does not hold the four .gz archives.")
        await settle(pilot)
        assert "[/tmp]" in str(app.screen.query_one("#complaint", Static).visual)

    drive(scenario)


def test_s_stops_and_holds_n_goes_on_g_resumes() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k")), 1)
        await press(pilot, "a", "s")
        job = app.queue.current
        assert job is not None and app.queue.is_ending(job) and app.queue.held
        await press(pilot, "n")
        assert not app.queue.held
        app.queue.hold()
        await press(pilot, "g")
        assert not app.queue.held

    drive(scenario)


def test_the_queue_can_be_reordered_and_thinned() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k")), 1)
        await press(pilot, "a", "5", "J")
        assert [job.spec.model for job in app.queue.waiting][:2] == ["fcn-100k", "fcn-50k"]
        await press(pilot, "K", "x")
        assert "fcn-50k" not in [job.spec.model for job in app.queue.waiting]

    drive(scenario)


def test_slash_filters_by_typing_and_escape_clears() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "slash", *"failed")
        assert ("escape", True) in [
            (key, one.enabled) for key, one in app.screen.active_bindings.items()
        ]
        assert app.lab.board.table.row_count == 1
        await press(pilot, "enter", "escape")
        assert app.lab.board.table.row_count == 6 + len(REPORT_MODELS)

    drive(scenario)


def test_x_deletes_and_u_brings_back() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        store = app.library.store()
        before = {run.id: store.get(run.id) for run in store.runs()}
        await press(pilot, "4", "h", "space", "space", "x")
        assert len(store.runs()) == len(before) - 2
        await press(pilot, "u")
        assert {run.id: store.get(run.id) for run in store.runs()} == before

    drive(scenario)


def test_r_queues_the_exact_spec() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "r")
        row = app.lab.board.current
        assert row is not None
        assert [job.spec for job in app.queue.waiting] == [app.library.store().get(row.id).spec]

    drive(scenario)


@pytest.mark.parametrize("place", ["board", "details"])
def test_c_queues_a_stopped_run_to_be_continued_and_only_once(place: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        stopped = await cursor_on(Status.STOPPED, app, pilot)
        for _ in range(2):
            await press(pilot, *(["c"] if place == "board" else ["enter", "c"]))
        assert [job.continues for job in app.queue.waiting] == [stopped]

    drive(scenario)


def test_c_does_nothing_on_a_finished_run() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await cursor_on(Status.FINISHED, app, pilot)
        await press(pilot, "c", "enter", "c")
        assert app.queue.waiting == ()

    drive(scenario)


async def cursor_on(status: Status, app: ScriptedApp, pilot: Pilot[Any]) -> str:
    """Put the board's cursor on a run in this state; its id."""
    await press(pilot, "4", "h")
    store = app.library.store()
    if status is Status.STOPPED:
        spec = spec_of(named_network("cnn-10k"))
        for event in story("0123456789ab", spec, 2, Status.RUNNING):
            if isinstance(event, RunStarted):
                store.begin(event)
        store.end(RunFinished("0123456789ab", Status.STOPPED))
    await press(pilot, "ctrl+r")
    place, row = next(
        (place, row) for place, row in enumerate(app.lab.board._order) if row.status is status
    )
    app.lab.board.table.move_cursor(row=place)
    await settle(pilot)
    return row.id


def test_enter_opens_a_run_and_escape_returns() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "enter")
        assert isinstance(app.screen, Details)
        await press(pilot, "escape")
        assert app.screen is app.lab

    drive(scenario)


def test_angle_brackets_and_o_sort() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        board = app.lab.board
        await press(pilot, "4", "h", *[">"] * 2)
        column = COLUMNS[3]
        assert column.key == "weights"
        weights = [board.table.get_row_at(i)[5].plain for i in range(6)]
        numbers = [int(weight.replace(",", "")) for weight in weights]
        assert numbers == sorted(numbers)
        await press(pilot, "O")
        assert board.table.get_row_at(0)[5].plain == weights[-1]

    drive(scenario)


def test_v_hides_the_reports_rows() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        assert app.lab.board.table.row_count == 6 + len(REPORT_MODELS)
        await press(pilot, "h")
        assert app.lab.board.table.row_count == 6

    drive(scenario)


@pytest.mark.parametrize("key", list("1234567"))
def test_digits_go_to_panels(key: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, key)
        if key in "4567":
            panes = {"4": "board", "5": "queue-pane", "6": "layer-pane", "7": "log-pane"}
            assert app.lab.query_one("#lower", TabbedContent).active == panes[key]
        assert app.lab.has_class(f"-show-{min(int(key), 4)}")

    drive(scenario, size=(60, 20))


def test_question_mark_explains_what_has_the_focus() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "question_mark")
        assert isinstance(app.screen, Help)
        assert "Wilson" in app.screen._about
        await press(pilot, "escape")
        assert app.screen is app.lab

    drive(scenario)


def test_q_asks_while_training_and_leaves_otherwise() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k")), 1)
        await settle(pilot)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("n")
        await settle(pilot)
        assert app.is_running and app.queue.current is not None
        app.queue.done(app.queue.current)
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)

    assert drive(scenario).return_code == 0


def test_control_c_asks_whether_to_stop_the_run() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k")), 1)
        await settle(pilot)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await settle(pilot)
        job = app.queue.current
        assert job is not None and app.queue.is_ending(job)

    drive(scenario)


def test_d_offers_other_data_and_the_sample_set_replaces_waiting_runs() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.queue.add([spec_of(named_network("cnn-50k"))])
        await press(pilot, "d")
        assert isinstance(app.screen, ChooseData)
        await pilot.click("#sample")
        await settle(pilot)
        assert app.lab.configure.dataset == "sample"
        assert [job.spec.dataset for job in app.queue.waiting] == ["sample"]
        assert app.lab.board.table.row_count == 0  # nor the report's: it saw other images

    drive(scenario)


def test_arrows_go_through_the_ways_to_get_images() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "d", "down", "down", "up", "down", "enter")
        assert app.lab.configure.dataset == "sample"

    drive(scenario)


def test_help_names_every_key_of_an_action_once() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "question_mark")
        keys, does = (list(column.cells) for column in app.screen._keys.columns)
        assert len(set(map(str, does))) == len(does)
        assert set(str(keys[list(map(str, does)).index("The next family")]).split()) == {"→", "↓"}

    drive(scenario)


def test_f9_takes_the_next_theme() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "f9", "f9")
        assert app.theme == "okabe-ito"

    drive(scenario)


def test_tab_goes_round() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        seen = []
        for _ in range(40):
            await pilot.press("tab")
            seen.append(app.focused)
        assert seen.count(seen[0]) > 1

    drive(scenario)


def test_every_shortcut_is_in_the_palette() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "ctrl+p", *"log axis")
        found = app.screen.query_one(CommandList)
        await until(pilot, lambda: found.options and "axis" in str(found.options[0].prompt))
        await press(pilot, "enter")
        assert app.lab.charts.loss.logarithmic

    drive(scenario)


def test_keys_can_be_remapped_in_the_config() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "ctrl+t")
        assert len(app.queue.waiting) == 1

    drive(scenario, config=Config(keymap={"lab.train": "ctrl+t"}))


@pytest.mark.parametrize(
    ("keymap", "said"),
    [
        ({"lab.tarin": "x"}, "did you mean 'lab.train'"),
        ({"lab.train": "spacebar"}, "no key 'spacebar'"),
        ({"lab.train": "strg+t"}, "no key 'strg+t'"),
        ({"lab.train": " "}, "no key"),
        ({"lab.train": "a"}, "a is now 'Train'; give 'lab.all_seven' (All seven) another key"),
    ],
)
def test_a_keymap_that_cannot_be_used_says_why_at_the_start(
    keymap: dict[str, str], said: str
) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        assert said in next(iter(app._notifications)).message

    drive(scenario, config=Config(keymap=keymap))


@pytest.mark.parametrize("keys", ["ctrl+t", "f12,plus", "?", "shift+up", "question_mark", "ö"])
def test_keys_that_a_terminal_can_send_are_taken(keys: str) -> None:
    usable, complaints = keymap_complaints({"lab.train": keys}, [LAB_KEYS[:1]])
    assert (usable, complaints) == ({"lab.train": keys}, [])


def test_keys_that_are_swapped_clash_with_nothing() -> None:
    swapped = {"lab.train": "a", "lab.all_seven": "t"}
    assert keymap_complaints(swapped, [LAB_KEYS]) == (swapped, [])


def test_the_form_comes_back_at_the_next_start() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.query_one(BudgetInput).value = "37k"
        app.lab.query_one("#settings", Collapsible).collapsed = False
        await settle(pilot)
        app.lab.configure.field("epochs").value = "3"
        await settle(pilot)
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)

    drive(scenario)
    choice, notice = load_choice(paths.last_choice_file())
    assert notice is None
    assert (choice.budget, choice.overrides) == ("37k", {"epochs": "3"})


def test_an_unreadable_last_choice_gives_the_defaults_and_says_so() -> None:
    file = paths.last_choice_file()
    file.parent.mkdir(parents=True)
    file.write_text("{broken")
    choice, notice = load_choice(file)
    assert choice.budget == "50k"
    assert notice is not None and "cannot be read" in notice


def test_inputs_accept_only_their_own_characters() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.query_one(BudgetInput).focus()
        await press(pilot, "y")
        assert app.lab.charts.loss.logarithmic
        assert app.lab.query_one(BudgetInput).value == "50k"
        assert isinstance(app.focused, Input)

    drive(scenario)
