"""The record: mean test accuracy over seeds for every budget, each row by one command.

    FASHIONTUI_DATA_DIR=... python -m benchmarks.records fcn-50k

trains the row's seeds that its store lacks, continuing one that was interrupted, and writes the
row to ``assets/records.json`` and to the table in the README; ``--write-only`` does the latter
alone. A row that is taught has its teachers trained first: all seeds of another row. Runs are
stored as ``fashiontui --batch`` stores them, with the recipe ``best``; the row's own command line
trains the same without this script, where there are no teachers. The test set is scored once a
run, by the engine, after the last epoch; nothing here reads it before, or chooses among seeds. No
row needs ``--kernels``: these networks have torch's alone.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from fashiontui import runner
from fashiontui.data import load
from fashiontui.domain.events import Status
from fashiontui.domain.plan import plan, shaped_network
from fashiontui.domain.recipe import NO_TEACHER, load_recipe
from fashiontui.domain.record import RunRecord
from fashiontui.domain.shapes import Shape, family_named
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.stats import mean_std, t_interval
from fashiontui.engine import choose_placement, find_device
from fashiontui.paths import measurements_file
from fashiontui.store import Store
from fashiontui.store.teachers import teacher_name
from fashiontui.teachers import taught

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "assets" / "records.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- records: python -m benchmarks.records -->", "<!-- /records -->"
SEEDS = 5
"""Fewest seeds of a row that counts as reached or not."""


@dataclass(frozen=True)
class Teachers:
    """The runs whose averaged answers a row learns: all seeds of another row."""

    row: str
    epochs: int


@dataclass(frozen=True)
class Row:
    """One budget of one side, FCN or CNN, and the network that stands for it."""

    arch: str
    budget: int
    shape: Shape
    reach: float | None = None
    """Mean test accuracy to reach at least, in percent; None of a row that is there to teach."""
    aim: float | None = None
    teachers: Teachers | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings in which it departs from ``best``."""
    precision: str = "fp32"


TEACHERS = Teachers("cnn-20k", epochs=16)
LARGER = Teachers("cnn-200k-flip", epochs=16)
LARGEST = Teachers("cnn-670k", epochs=16)
SQUARES = {"erase": 8}
"""Not in ``best``: of cnn-200k five seeds do not prove that they pay, nor that they do not."""
SQUARES_WITHOUT_DECAY = {**SQUARES, "weight_decay": 0.0}
"""Of pupils above 60K weights: answers keep them from overfitting, as decay does with labels."""
ROWS = {
    "fcn-50k": Row("fcn", 50_000, (57, 45, 40), 89.2, 89.8),
    "fcn-100k": Row("fcn", 100_000, (110, 70, 70), 90.0, 90.4),
    "fcn-200k": Row("fcn", 200_000, (210, 110, 90), 90.4, 91.0),
    "fcn-50k-taught": Row("fcn", 50_000, (57, 45, 40), 89.2, 89.8, TEACHERS),
    "fcn-100k-taught": Row("fcn", 100_000, (110, 70, 70), 90.0, 90.4, TEACHERS),
    "fcn-200k-taught": Row("fcn", 200_000, (210, 110, 90), 90.4, 91.0, TEACHERS),
    "cnn-10k": Row("resnet", 10_000, (8, 12, 21), 91.0, 91.8),
    "cnn-20k": Row("resnet", 20_000, (8, 16, 33), 92.0, 92.8),
    "cnn-50k": Row("resnet", 50_000, (16, 24, 52), 93.2, 93.8),
    "cnn-100k": Row("resnet", 100_000, (32, 49, 49), 93.8, 94.5, None, SQUARES, "bf16"),
    "cnn-200k": Row("resnet", 200_000, (24, 56, 102), 94.4, 95.2, None, SQUARES, "bf16"),
    "cnn-200k-flip": Row("resnet", 200_000, (24, 56, 102)),
    "cnn-670k": Row("resnet", 670_000, (48, 96, 192), changes=SQUARES, precision="bf16"),
    "cnn-10k-taught": Row("resnet", 10_000, (8, 12, 21), 91.0, 91.8, LARGER),
    "cnn-20k-taught": Row("resnet", 20_000, (8, 16, 33), 92.0, 92.8, LARGER),
    "cnn-50k-taught": Row("resnet", 50_000, (24, 34, 34), 93.2, 93.8, LARGER),
    "cnn-100k-taught": Row(
        "resnet", 100_000, (32, 49, 49), 93.8, 94.5, LARGEST, SQUARES_WITHOUT_DECAY, "bf16"
    ),
    "cnn-200k-taught": Row(
        "resnet", 200_000, (24, 56, 102), 94.4, 95.2, LARGEST, SQUARES_WITHOUT_DECAY, "bf16"
    ),
}


def specs(
    row: Row, seeds: Sequence[int], epochs: int | None, teacher: str = NO_TEACHER, **where: Any
) -> list[RunSpec]:
    """The runs of a row, as the command line would plan them."""
    network = shaped_network(row.arch, row.shape, row.budget)
    where = {"precision": row.precision, **where}
    changes = {**row.changes, "teacher": teacher} | ({} if epochs is None else {"epochs": epochs})
    return plan([network], load_recipe("best", Path("/nonexistent")), changes, seeds, **where)


def command(name: str, spec: RunSpec, seeds: Sequence[int]) -> str:
    """The command line that trains a row, without this script where there are no teachers."""
    where = f"--device {spec.device} --precision {spec.precision} --threads {spec.threads}"
    if ROWS[name].teachers:
        return (
            f"python -m benchmarks.records {name} --epochs {spec.settings.epochs} "
            f"--seeds {len(seeds)} {where}"
        )
    word = "hidden" if spec.arch == "fcn" else "channels"
    family = "" if spec.arch == "fcn" else f"--arch {spec.arch} "
    counted = list(seeds) == list(range(len(seeds)))
    which = str(len(seeds)) if counted else ",".join(map(str, seeds))
    changes = "".join(f"--{key} {value} " for key, value in ROWS[name].changes.items())
    return (
        f"fashiontui --batch {family}--budget {ROWS[name].budget // 1000}k "
        f"--{word} {','.join(map(str, spec.shape))} --recipe best {changes}"
        f"--epochs {spec.settings.epochs} --seeds {which} {where}"
    )


def trained(spec: RunSpec, store: Store, data: Any) -> None:
    """Train one run to its end, or finish it where it was interrupted."""
    for record in store.runs():
        if record.spec == spec and record.status is Status.FINISHED:
            return
        if record.spec == spec and record.id in store.unfinished():
            for _ in runner.resume(store.resume(record.id), data, store):
                pass
            return
    placement = choose_placement(spec, find_device(spec.device), measurements_file())
    for _ in runner.run(spec, data, placement, store):
        pass


def teacher_of(row: Row, store: Store, data: Any = None, **where: Any) -> str:
    """What settings call a row's teachers; missing ones are trained where there are data."""
    if row.teachers is None:
        return NO_TEACHER
    wanted = specs(ROWS[row.teachers.row], range(SEEDS), row.teachers.epochs, **where)
    for spec in wanted if data is not None else ():
        trained(spec, store, data)
    runs = {run.spec: run.id for run in store.runs() if run.status is Status.FINISHED}
    if missing := [spec.seed for spec in wanted if spec not in runs]:
        raise SystemExit(f"{store.name} lacks teachers: seeds {missing} of {row.teachers.row}.")
    return teacher_name(store, [runs[spec] for spec in wanted])


def row_of(name: str, row: Row, records: Sequence[RunRecord]) -> dict[str, Any]:
    """What ``assets/records.json`` says of a row: every seed of it, none chosen."""
    records = sorted(records, key=lambda record: record.spec.seed)
    spec = records[0].spec
    tested = [record.test_accuracy for record in records if record.test_accuracy is not None]
    validated = [record.val_accuracy for record in records if record.val_accuracy is not None]
    test_mean, test_std = mean_std(tested)
    val_mean, val_std = mean_std(validated)
    machines = {
        f"{r.device_name}, {r.precision}, {r.threads} CPU thread(s), torch {r.versions['torch']}"
        for r in records
    }
    reached = None  # of a row that is there to teach
    if row.reach is not None:
        reached = len(tested) >= SEEDS and round(test_mean, 2) >= row.reach
    return {
        "row": name,
        "budget": row.budget,
        "family": row.arch,
        "shape": list(row.shape),
        "weights": spec.weights,
        "epochs": spec.settings.epochs,
        "settings": to_builtins(spec.settings),
        "seeds": [record.spec.seed for record in records],
        "test_mean": test_mean,
        "test_std": test_std,
        "test_ci95": t_interval(tested),
        "val_mean": val_mean,
        "val_std": val_std,
        "val_ci95": t_interval(validated),
        "reach": row.reach,
        "aim": row.aim,
        "reached": reached,
        "train_seconds": [record.train_seconds for record in records],
        "machine": sorted(machines),
        "teachers": asdict(row.teachers) if row.teachers else None,
        "command": command(name, spec, [record.spec.seed for record in records]),
        "runs": [
            {
                "seed": record.spec.seed,
                "val_accuracy": record.val_accuracy,
                "test_accuracy": record.test_accuracy,
                "train_seconds": record.train_seconds,
                "weights_sha256": record.weights_sha256,
            }
            for record in records
        ],
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The README's table."""
    lines = [
        "| Row | Family, shape | Weights | Test % | 95% (t) | Validation % | Seeds | Epochs | "
        "Time a run | Target | |",
        "|:---|:---|---:|---:|---:|---:|---:|---:|---:|---:|:---|",
    ]
    for row in rows:
        family = family_named(row["family"])
        low, high = row["test_ci95"] or (None, None)
        seconds = sorted(row["train_seconds"])
        spread = "" if row["test_std"] is None else f" ± {row['test_std']:.2f}"
        target = "–" if row["reach"] is None else f"{row['reach']} / {row['aim']}"
        verdict = "aim reached" if row["test_mean"] >= (row["aim"] or 0) else "reached"
        if row["reach"] is None:
            verdict = "teaches"
        elif len(row["seeds"]) < SEEDS:
            verdict = f"{len(row['seeds'])} of {SEEDS} seeds: no verdict"
        elif not row["reached"]:
            verdict = "not reached"
        lines.append(
            f"| {row['row']} | {family.title} {family.describe(tuple(row['shape']))} "
            f"| {row['weights']:,} | {row['test_mean']:.2f}{spread} "
            f"| {f'{low:.2f}–{high:.2f}' if low else '–'} | {row['val_mean']:.2f} "
            f"| {len(row['seeds'])} | {row['epochs']} | {seconds[len(seconds) // 2]:,.0f} s "
            f"| {target} | {verdict} |"
        )
    machines = sorted({machine for row in rows for machine in row["machine"]})
    lines += ["", f"Machine: {'; '.join(machines)}. The commands:", "", "```sh"]
    return "\n".join([*lines, *(f"{row['command']}  # {row['row']}" for row in rows), "```"])


def write(store: Store, chosen: dict[str, list[RunSpec]]) -> None:
    """Bring the document and the README up to date with what the store has of these rows."""
    rows = {}
    if DOCUMENT.exists():
        rows = {row["row"]: row for row in json.loads(DOCUMENT.read_text("utf-8"))["rows"]}
    finished = [record for record in store.runs() if record.status is Status.FINISHED]
    for name, wanted in chosen.items():
        found = {record.spec.seed: record for record in finished if record.spec in wanted}
        if found:
            rows[name] = row_of(name, ROWS[name], list(found.values()))
    in_order = [rows[name] for name in ROWS if name in rows]
    document = {"schema": 1, "protocol": "see README, The record", "rows": in_order}
    DOCUMENT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = README.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{table(in_order)}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--epochs", type=int, help="fewer or more than the recipe's")
    parser.add_argument("--store", default="records.sqlite3")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", help="another than the row's")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--train-only", action="store_true", help="write no document")
    parser.add_argument("--write-only", action="store_true", help="train nothing")
    options = parser.parse_args()

    where = {"device": options.device, "threads": options.threads}
    where |= {"precision": options.precision} if options.precision else {}
    row, data = ROWS[options.row], None
    with closing(Store(options.store)) as store:
        if not options.write_only:
            folder = Path(os.environ["FASHIONTUI_DATA_DIR"])
            data = load("fashion-mnist", [folder], print).to(find_device(options.device))
        teacher = teacher_of(row, store, data, **where)
        wanted = specs(row, range(options.seeds), options.epochs, teacher, **where)
        if data is not None:
            data = taught(data, wanted, store)
            for spec in wanted:
                trained(spec, store, data)
                print(f"{options.row} seed {spec.seed} of {options.seeds} is there", flush=True)
        if not options.train_only:
            write(store, {options.row: wanted})


if __name__ == "__main__":
    main()
