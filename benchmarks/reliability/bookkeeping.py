"""What keeping an epoch, checkpoint and row on the disk, costs beside training it.

``FASHIONTUI_DATA_DIR=... python -m benchmarks.reliability.bookkeeping`` trains fcn-100k as the
recipe ``fast`` does and prints medians over its epochs, the first left out. ``--in FOLDER`` chooses
the disk.
"""

import argparse
import os
import tempfile
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from fashiontui import paths, runner
from fashiontui.data import load
from fashiontui.domain.events import EpochEnded, Event
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.engine import choose_placement, find_device
from fashiontui.store import Store

EPOCHS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--in", dest="folder", default=tempfile.gettempdir())
    folder = parser.parse_args().folder
    recipe = load_recipe("fast", Path("/nonexistent"))
    [spec] = plan([named_network("fcn-100k")], recipe, {"epochs": EPOCHS}, [0])
    device = find_device("cpu")
    data = load("fashion-mnist", [Path(os.environ["FASHIONTUI_DATA_DIR"])], print)
    placement = choose_placement(spec, device, paths.measurements_file())
    spent: list[float] = []
    keep = runner.Keeper.keep

    def timed(keeper: runner.Keeper, event: Event, *rest: Any) -> Event:
        began = perf_counter()
        kept = keep(keeper, event, *rest)
        if isinstance(event, EpochEnded):
            spent.append(perf_counter() - began)
        return kept

    runner.Keeper.keep = timed
    with (
        tempfile.TemporaryDirectory(dir=folder) as temporary,
        closing(Store(str(Path(temporary) / "runs.sqlite3"))) as store,
        closing(runner.run(spec, data, placement, store)) as events,
    ):
        ends = [event.train_seconds for event in events if isinstance(event, EpochEnded)]
    whole = median(after - before for before, after in pairwise(ends))
    kept = median(spent[1:])
    print(f"an epoch of fcn-100k, all in all    {1000 * whole:7.1f} ms")
    print(f"of it for checkpoint and row        {1000 * kept:7.1f} ms")
    print(f"                                    {100 * kept / (whole - kept):7.1f} %  (under 5)")


if __name__ == "__main__":
    main()
