"""Which rows the leaderboard shows, in which order, and what is said of them; no widget."""

from heapq import nlargest

from fashiontui.domain.board import Board, BoardRow, report_rows
from fashiontui.domain.events import Status
from fashiontui.domain.spec import DatasetName
from fashiontui.domain.stats import mean_std, t_interval
from fashiontui.tui import text
from fashiontui.tui.widgets.columns import COLUMNS


class Listing:
    """The stored runs of one data set: filtered, sorted, seeds folded or unfolded."""

    def __init__(self, dataset: DatasetName, with_report: bool) -> None:
        """Args:
        dataset: Whose runs are shown; those of the other data set share no table with them.
        with_report: Whether the report's rows are shown.
        """
        self.dataset = dataset
        self.with_report = with_report
        self.typed = ""
        """The filter."""
        self.sort = 1
        """Number of the column to sort by."""
        self.descending = True
        self.unfolded: set[str] = set()
        """Ids of the rows of several seeds whose runs are shown beneath them."""
        self._board = Board()
        self._live: dict[str, BoardRow] = {}
        self._rows_of: dict[str, str] = {}

    def load(self, board: Board) -> None:
        """Take what was read from the store in place of all there was."""
        self._board = board
        self._live = {}
        self._rows_of = {run.id: row.id for row in board.entries for run in row.runs}

    def put(self, row: BoardRow) -> None:
        """Add a run, or what is newly known of one, until the store is read again."""
        self._live[row.id] = row

    def run(self, run_id: str) -> BoardRow | None:
        """The row of a single run; None where there is none."""
        return self._live.get(run_id) or self._board.runs.get(run_id)

    def shown_as(self, run_id: str) -> list[str]:
        """Ids of the rows that show a run: its own, and that of all its seeds."""
        return [run_id, *filter(None, [self._rows_of.get(run_id)])]

    def rank(self, row: BoardRow) -> str:
        """Its rank, with = where others share it; nothing for rows that have none."""
        return str(self._board.ranks.get(row.id, ""))

    def rows(self) -> list[BoardRow]:
        """What is shown, from top to bottom: what trains first, then by the chosen column."""
        rows = self._comparable()
        if self.with_report:
            rows += [row for row in report_rows() if row.dataset == self.dataset]
        found = [row for row in rows if row.matches(self.typed)]
        found.sort(key=COLUMNS[self.sort].sort, reverse=self.descending)
        found.sort(key=lambda row: row.status is not Status.RUNNING)
        if self.unfolded:
            found = [one for row in found for one in (row, *self._beneath(row))]
        return found

    def best(self, count: int) -> list[BoardRow]:
        """The finished rows of highest validation accuracy, the best first."""
        finished = [row for row in self._comparable() if row.status is Status.FINISHED]
        return nlargest(count, finished, key=lambda row: row.val_accuracy or 0.0)

    def title(self, row: BoardRow) -> str:
        """What stands in the first column: how many seeds, whether they are shown, which it is."""
        if row.runs:
            return f"{row.title} ×{len(row.by_seed)} {'▾' if row.id in self.unfolded else '▸'}"
        if self._rows_of.get(row.id) in self.unfolded:
            return f"  seed {row.seed}"
        return row.title

    def said_of(self, row: BoardRow | None) -> str:
        """What the columns have no room for, of a row of several seeds; else nothing."""
        if row is None or not row.runs:
            return ""
        seeds = [*row.by_seed.values()]
        said = [f"{row.title}, {text.seeds(row)} of {len(row.runs)} runs"]
        if len(seeds) == len(row.runs):
            said = [f"{row.title}, {len(seeds)} seeds"]
        vals, tests = (
            [value for value in values if value is not None]
            for values in (
                [run.val_accuracy for run in seeds],
                [run.test_accuracy for run in seeds],
            )
        )
        said += [_over_seeds("validation", vals), _over_seeds("test", tests)]
        rank = self._board.ranks.get(row.id)
        if rank is not None and rank.shared:
            ranks = self._board.ranks
            others = sum(ranks.get(one.id) == rank for one in self._comparable()) - 1
            rows = "row" if others == 1 else "rows"
            said.append(f"shares rank {rank.number} with {others} {rows}")
        return " · ".join(filter(None, said))

    def summary(self, shown: list[BoardRow]) -> str:
        """What is shown, and what is not.

        Args:
            shown: The rows from top to bottom.
        """
        stored = self._comparable()
        runs, all_runs = _runs(shown), sum(len(row.runs) or 1 for row in stored)
        noun = "run" if all_runs == 1 else "runs"
        parts = [f"{runs:,} of {all_runs:,} {noun}" if self.typed else f"{all_runs:,} {noun}"]
        if others := len({**self._board.runs, **self._live}) - all_runs:
            parts[0] += f", {others:,} on other data not shown (d changes data)"
        column = COLUMNS[self.sort].title.partition(" ±")[0]
        parts.append(f"by {column} {'down' if self.descending else 'up'}")
        if self.typed:
            parts.append(f"filter “{self.typed}” (esc clears)")
        if noise := self._board.noise.get(self.dataset):
            parts.append(f"noise floor of seeds {noise:.2f}")
        if self.with_report and self.dataset == "fashion-mnist":
            parts.append("* the report's ±: over batches of 256")
        empty = "No run is stored yet: press t to train the network of panel 1"
        nothing = f"No run matches “{self.typed}”: esc clears the filter."
        if not stored and not self.typed:
            parts = [empty, *parts[2:]]
        return " · ".join(parts) if shown else nothing if self.typed else empty

    def _comparable(self) -> list[BoardRow]:
        """The runs on the data set that is shown, those of one spec as one row."""
        rows = [self._live.get(row.id, row) for row in self._board.entries]
        rows += [row for row in self._live.values() if row.id not in self._board.runs]
        return [row for row in rows if row.dataset == self.dataset]

    def _beneath(self, row: BoardRow) -> tuple[BoardRow, ...]:
        return row.runs if row.id in self.unfolded else ()


def _runs(rows: list[BoardRow]) -> int:
    """How many stored runs rows stand for; unfolded ones are counted once."""
    several = {run.id for row in rows for run in row.runs}
    single = {row.id for row in rows if not row.runs and not row.is_report}
    return len(several | single)


def _over_seeds(name: str, values: list[float]) -> str:
    """Mean ± standard deviation and 95% interval."""
    interval = t_interval(values)
    if interval is None:
        return ""
    mean, std = mean_std(values)
    return f"{name} {mean:.2f} ±{std:.2f}, 95% {interval[0]:.2f}–{interval[1]:.2f}"
