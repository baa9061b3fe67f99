"""The keys of the main screen; each has an id, by which the config file can change it."""

from collections.abc import Iterable, Mapping

from textual.binding import Binding
from textual.keys import REPLACED_KEYS, Keys, key_to_character

from fashiontui.domain.report import REPORT_MODELS

PANELS = ("configure", "loss", "accuracy", "board", "queue-pane", "layer-pane", "log-pane")
"""Ids of the panels, in the order of the digits that go to them."""
CHART_KEYS = [
    Binding("y", "log_axis", "Log axis", id="lab.log_axis", show=False,
            tooltip="Logarithmic or linear axis for the chart whose border says y"),
    Binding("plus,equals_sign", "zoom(0.5)", "Zoom in", id="lab.zoom_in", show=False,
            key_display="+", tooltip="Half as many epochs, around the cursor or at the end"),
    Binding("minus", "zoom(2)", "Zoom out", id="lab.zoom_out", show=False, key_display="-",
            tooltip="Twice as many epochs"),
    Binding("0", "zoom_all", "All epochs", id="lab.zoom_all", show=False,
            tooltip="Show every epoch"),
]  # fmt: skip
"""Of every screen with charts."""
SCREEN_KEYS = [
    Binding("v", "pareto", "Pareto", id="lab.pareto", show=False,
            tooltip="Accuracy against weights, time or multiply-adds; what to train next"),
    Binding("m", "open('mistakes')", "Mistakes", id="lab.mistakes", show=False,
            tooltip="Which classes this run confuses, on which images; of two marked runs, where "
                    "they differ"),
    Binding("b", "open('race')", "Race", id="lab.race", show=False,
            tooltip="The marked runs side by side, by epochs or by seconds"),
    Binding("l", "open('replay')", "Replay", id="lab.replay", show=False,
            tooltip="Play this run again, at any speed"),
    Binding("w", "open('weights')", "Weights", id="lab.weights", show=False,
            tooltip="What this run's network looks like inside, epoch by epoch"),
]  # fmt: skip
"""Screens over stored runs: all of them, or the marked ones, or the one under the cursor."""
LAB_KEYS = [
    Binding("t", "train", "Train", id="lab.train", tooltip="Train the network of panel 1"),
    Binding("a", "all_seven", "All seven", id="lab.all_seven",
            tooltip="Queue the report's seven models"),
    Binding("s", "stop", "Stop", id="lab.stop",
            tooltip="Stop the run now, keep what it learned, hold the queue"),
    Binding("n", "skip", "Next", id="lab.skip",
            tooltip="End the run now and begin the next in the queue"),
    Binding("g", "resume", "Go on", id="lab.resume", tooltip="Let a held queue go on"),
    Binding("slash", "filter", "Filter", id="lab.filter", key_display="/",
            tooltip="Filter the board by typing"),
    *CHART_KEYS,
    *SCREEN_KEYS,
    Binding("i", "predict", "Predict", id="lab.predict", show=False,
            tooltip="Ask the network under the board's cursor about a picture of yours"),
    Binding("o", "app.tune", "Tune", id="lab.tune", show=False,
            tooltip="Search a family's shapes and settings within a budget"),
    Binding("u", "undo", "Undo", id="lab.undo", show=False,
            tooltip="Bring back the runs deleted last"),
    Binding("h", "report_rows", "Report's rows", id="lab.report_rows", show=False,
            tooltip="Show or hide the report's rows"),
    Binding("ctrl+r", "read_store", "Read store", id="lab.read_store", show=False,
            tooltip="Read the stored runs again"),
    *(
        Binding(str(number), f"panel('{panel}')", title, id=f"lab.panel_{number}",
                show=False, tooltip=f"Go to {title}")
        for number, (panel, title) in enumerate(
            zip(PANELS, ("Configure", "Loss", "Validation accuracy", "Leaderboard", "Queue",
                         "First layer", "Log"), strict=True), start=1)
    ),
    *(
        Binding(f"f{number}", f"model('{model}')", model, id=f"lab.model_{model}",
                show=False, tooltip=f"Set up the report's {model}")
        for number, model in enumerate(REPORT_MODELS, start=2)
    ),
]  # fmt: skip
_NAMED = {key.value for key in Keys} | set(REPLACED_KEYS)
_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}


def keymap_complaints(
    keymap: Mapping[str, str], nodes: Iterable[Iterable[Binding]]
) -> tuple[dict[str, str], list[str]]:
    """What of a keymap can be used, and a sentence on each thing that is wrong with it.

    Args:
        keymap: Keys by id, several with commas.
        nodes: The bindings of each widget; keys are taken twice only within one of them.
    """
    usable, complaints = {}, []
    for name, keys in keymap.items():
        unknown = [key for key in _split(keys) if not _is_key(key)]
        if unknown or not _split(keys):
            complaints.append(
                f"In the keymap: {name!r} has no key {unknown[0] if unknown else keys!r}; keys are "
                "called like t, f4, space, ctrl+t or shift+up."
            )
        else:
            usable[name] = ",".join(_split(keys))
    for bindings in nodes:
        taken = {key: b for b in bindings if b.id in usable for key in _split(usable[b.id])}
        for binding in bindings:
            taker = taken.get(binding.key)
            if taker and taker.id != binding.id and binding.id not in usable:
                complaints.append(
                    f"In the keymap: {binding.key} is now {taker.description!r}; give "
                    f"{binding.id!r} ({binding.description}) another key."
                )
    return usable, list(dict.fromkeys(complaints))


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",") if key.strip()]


def _is_key(key: str) -> bool:
    """Whether Textual calls a key so, or a terminal could send it."""
    *modifiers, name = key.split("+")
    known = len(name) == 1 or name in _NAMED or key_to_character(name) is not None
    return known and set(modifiers) <= _MODIFIERS
