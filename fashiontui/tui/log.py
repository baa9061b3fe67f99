"""What happens, one line an event, for the log pane."""

from datetime import datetime

from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted, Status
from fashiontui.domain.history import History
from fashiontui.domain.spec import how_computed
from fashiontui.domain.text import printable
from fashiontui.tui.text import clock


def stamped(line: str) -> str:
    """The line with the time of day before it, and nothing in it that a terminal would obey."""
    return f"{datetime.now():%H:%M:%S}  {printable(line)}"


def line(event: Event, history: History) -> str | None:
    """What to log of an event; None for those that come too often."""
    title = history.started.spec.title if history.started else ""
    match event:
        case RunStarted():
            spec = event.spec
            again = f"continued after epoch {len(event.epochs)}, " if event.epochs else ""
            return (
                f"▶ {title} seed {spec.seed}: {again}{event.weights:,} weights, "
                f"recipe {spec.recipe_title}, {event.device} ({event.device_name}), "
                f"{how_computed(event.precision, event.threads, event.kernels)}, run {event.run_id}"
            )
        case EpochEnded():
            return (
                f"  epoch {event.epoch}: train loss {event.train_loss:.4f}, validation "
                f"{event.val_loss:.4f}, {event.val_accuracy:.2f}%, "
                f"{event.images_per_second:,.0f} img/s"
            )
        case RunFinished(status=Status.FINISHED):
            tested = f"test {event.test.accuracy:.2f}%" if event.test else "not tested"
            return f"✓ {title} finished in {clock(event.train_seconds)}: {tested}"
        case RunFinished():
            return f"✗ {title} {event.status.value}: {event.cause or 'no cause known'}"
    return None
