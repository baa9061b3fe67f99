"""The keys of the main screen; each has an id, by which the config file can change it."""

from textual.binding import Binding

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
    Binding("u", "undo", "Undo", id="lab.undo", show=False,
            tooltip="Bring back the runs deleted last"),
    Binding("v", "report_rows", "Report's rows", id="lab.report_rows", show=False,
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
