"""Writes the stored file of the newest schema, to be kept for ever: made once for each migration.

``python tests/store/make_fixture.py`` writes ``tests/store/fixtures/REVISION.sqlite3``; the tests
open every such file with the newest code. It never replaces one: what was released stays.
"""

import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from making import made_epoch, made_inside, made_predictions, made_spec

from fashiontui.domain.events import Status
from fashiontui.domain.record import RunRecord
from fashiontui.store import Store
from fashiontui.store.rows import add_records
from fashiontui.store.schema import NEWEST

FIXTURES = Path(__file__).parent / "fixtures"
OWNER = {"owner_host": "a machine far away", "owner_pid": 4711, "owner_started": 1767323045.25}
RIGHT = [number % 10 != 3 for number in range(100)]


def made(number: int, status: Status, **changes: object) -> RunRecord:
    """A run without results."""
    facts: dict[str, object] = {
        "id": f"{number:012x}",
        "spec": made_spec(seed=number),
        "status": status,
        "created": datetime(2026, 1, 2, 3, 4, number, 123456, tzinfo=UTC),
        "device": "cpu",
        "device_name": "A processor – été 日本",
        "precision": "fp32",
        "threads": 2,
        "versions": {"fashiontui": "0.1.0", "torch": "2.9.0"},
    }
    return RunRecord(**{**facts, **changes})  # type: ignore[arg-type]


def epochs(number: int, count: int):
    return tuple(
        made_epoch(epoch, run_id=f"{number:012x}", val_accuracy=80 + epoch / 3)
        for epoch in range(1, count + 1)
    )


FIRST = (
    made(
        1,
        Status.FINISHED,
        spec=made_spec(model="cnn-10k", seed=2**62, epochs=3, lr=0.1 + 0.2, augment="flip"),
        device="cuda:0",
        precision="bf16",
        epochs=epochs(1, 3),
        train_seconds=4.5,
        total_seconds=5.25,
        test_accuracy=90.0,
        weights_sha256="0123456789abcdef" * 4,
        validation=made_predictions([True, False]),
        test=made_predictions(RIGHT),
    ),
    made(
        2,
        Status.FAILED,
        cause="The loss is no longer a finite number at step 7.",
        epochs=epochs(2, 1),
        train_seconds=1.5,
        total_seconds=2.0,
    ),
    made(3, Status.STOPPED, spec=made_spec("cnn", (4, 8), epochs=9), epochs=epochs(3, 2)),
    made(4, Status.INTERRUPTED, spec=made_spec(dataset="sample")),
    made(5, Status.RUNNING, epochs=epochs(5, 1)),
)
"""What the stored file of the first schema holds."""
SECOND = (
    *FIRST,
    made(
        6,
        Status.FINISHED,
        spec=made_spec("cnn", (3, 4), epochs=2),
        epochs=epochs(6, 2),
        train_seconds=4.5,
        total_seconds=5.25,
        test_accuracy=90.0,
        weights_sha256="0123456789abcdef" * 4,
        validation=made_predictions([True, False], sure=200),
        test=made_predictions(RIGHT, sure=255),
        inside=(
            replace(made_inside(1, f"{6:012x}"), count=0, pixels=b""),
            made_inside(2, f"{6:012x}"),
        ),
        study="a study – été",
        trial=7,
    ),
)
"""What that of the second holds."""
RECORDS = (
    *SECOND,
    made(7, Status.STOPPED, spec=made_spec("cnn", (4, 8)), kernels="rows"),
    made(8, Status.INTERRUPTED, kernels="torch"),
)
"""What those of the third and the fourth hold."""
STORED = {"0001": FIRST, "0002": SECOND, "0003": RECORDS, "0004": RECORDS}
"""What the stored file of each schema holds."""


def main() -> None:
    """Write the file, once."""
    file = FIXTURES / f"{NEWEST}.sqlite3"
    if file.exists():
        sys.exit(f"{file} is there; stored files of released schemas are never made anew.")
    file.parent.mkdir(exist_ok=True)
    with closing(Store(str(file), logged=False)) as store, store._writing() as connection:
        add_records(connection, RECORDS, OWNER)
    print(f"Wrote {file.relative_to(Path.cwd())}, {file.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
