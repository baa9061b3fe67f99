"""Which stored runs a table, a figure or a file is about."""

from collections.abc import Sequence

from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.record import RunRecord
from fashiontui.store import Store


def finished_runs(
    store: Store, run_ids: Sequence[str] = (), recipe: str | None = None
) -> list[RunRecord]:
    """Finished runs of one data set with their predictions, the newest first.

    Args:
        store: Where they are.
        run_ids: Their ids, or beginnings of them; all runs on Fashion-MNIST when there are none.
        recipe: Only those of this recipe.

    Raises:
        UsageError: there are none, or one that is named is not there or has no predictions, or they
            are of several data sets.
    """
    if run_ids:
        named = list(dict.fromkeys(store.get(run_id).id for run_id in run_ids))
    else:
        named = [
            row.id
            for row in store.board()
            if row.status is Status.FINISHED and row.dataset == "fashion-mnist"
        ]
    records = store.get_all(named)
    for record in records if run_ids else ():
        if record.status is not Status.FINISHED or record.test is None:
            raise UsageError(
                f"Run {record.id} is {record.status.value} and has no predictions of the test set; "
                "name finished runs."
            )
    if len({record.spec.dataset for record in records}) > 1:
        raise UsageError(
            "Runs on the sample set never share a table with runs on Fashion-MNIST; name runs of "
            "one data set."
        )
    kept = [record for record in records if record.test and recipe in (None, record.spec.recipe)]
    if not kept:
        of_recipe = f" with the recipe {recipe}" if recipe else ""
        raise UsageError(
            f"There is no finished run{of_recipe} on Fashion-MNIST in the store; train some with "
            "fashiontui --batch, or name runs by their ids."
        )
    return kept
