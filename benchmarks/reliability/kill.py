"""Kills a batch with SIGKILL at random moments, looks for damage, and resumes it.

``python -m benchmarks.reliability.kill`` prints how many finished epochs were lost, how many stores
were damaged, and how many resumed runs ended bit-identical to one that was never interrupted. A
run may be killed again while it is resumed. The sample set serves: what is tried is the keeping.
"""

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from fashiontui import entry
from fashiontui.store import Store

NETWORK = ("--arch", "fcn", "--hidden", "64,32", "--threads", "1", "--precision", "fp32")
TRAINING = ("--epochs", "12", "--batch-size", "128", "--augment", "shift", "--dropout", "0.2")
BATCH = ("--batch", "--data", "sample", "--jsonl")
MOST_KILLS = 3
"""How often one run is killed at most."""
LEARNED = ("epoch", "train_loss", "val_loss", "val_accuracy", "lr")
"""What of an epoch does not depend on how quick the machine was."""


def events_of(arguments: tuple[str, ...], seconds: float | None) -> tuple[list[dict], bool]:
    """Run a command in a process of its own and read its events; kill it after some seconds.

    The process is forked from this one, which has torch loaded and never used: starting afresh
    would spend most of the time on imports.

    Returns:
        The events, and whether the process came to its end.
    """
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(sending, 1)
        sys.stdout = os.fdopen(1, "w", buffering=1)
        code = entry.run(list(arguments))
        os._exit(code)
    os.close(sending)
    deadline = None if seconds is None else time.monotonic() + seconds
    content = b""
    while True:
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([receiving], [], [], patience)[0]:
            os.kill(child, signal.SIGKILL)
            deadline = None
            continue
        if not (told := os.read(receiving, 65536)):
            break
        content += told
    os.close(receiving)
    _, status = os.waitpid(child, 0)
    lines = content[: content.rfind(b"\n") + 1].splitlines()  # the last may have been cut off
    return [json.loads(line) for line in lines], os.waitstatus_to_exitcode(status) == 0


def learned(events: list[dict]) -> list[tuple]:
    return [tuple(e[name] for name in LEARNED) for e in events if e["event"] == "epoch_ended"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    import scipy.special  # noqa: F401
    import torch  # noqa: F401

    import fashiontui.runner  # noqa: F401

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["XDG_DATA_HOME"] = temporary
        spec = (*BATCH, *NETWORK, *TRAINING)
        began = time.monotonic()
        whole, _ = events_of((*spec, "--store", str(folder / "whole.sqlite3")), None)
        usual = time.monotonic() - began
        digest, wanted = whole[-1]["weights_sha256"], learned(whole)
        kills = lost = damaged = identical = 0
        for number in range(asked.runs):
            where = folder / f"{number}.sqlite3"
            arguments = (*spec, "--store", str(where))
            told: list[tuple] = []
            over = False
            for _ in range(chance.randint(1, MOST_KILLS)):
                events, over = events_of(arguments, chance.uniform(0, usual))
                told += learned(events)
                if over:
                    break
                kills += 1
                kept, sound = looked_into(where)
                damaged += not sound
                lost += len([epoch for epoch in told if epoch not in kept])
                if kept or began_in(where):
                    arguments = (*BATCH, "--resume", "--store", str(where))
            if not over:
                events_of(arguments, None)
            with closing(Store(str(where))) as store:
                [record] = store.runs()
            history = [tuple(getattr(e, name) for name in LEARNED) for e in record.epochs]
            identical += record.weights_sha256 == digest and history == wanted
            for file in folder.glob(f"{number}.*"):
                if file.is_file():
                    file.unlink()
        print(f"killed                {kills:5d} times, in {asked.runs} runs (seed {asked.seed})")
        print(f"finished epochs lost  {lost:5d}")
        print(f"stores damaged        {damaged:5d}")
        print(f"ended bit-identical   {identical:5d} of {asked.runs}")
    sys.exit(lost > 0 or damaged > 0 or identical < asked.runs)


def began_in(where: Path) -> bool:
    """Whether the store has a run."""
    if not where.exists():
        return False
    with closing(Store(str(where))) as store:
        return bool(store.runs())


def looked_into(where: Path) -> tuple[list[tuple], bool]:
    """The stored epochs, and whether the database is sound; a store not yet made is."""
    if not where.exists():
        return [], True
    with closing(Store(str(where))) as store, store._reading() as connection:
        sound = connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        kept = [
            tuple(getattr(epoch, name) for name in LEARNED)
            for record in store.runs()
            for epoch in record.epochs
        ]
    return kept, sound


if __name__ == "__main__":
    main()
