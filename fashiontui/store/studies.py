"""A store's studies, read from Optuna's tables in a few statements and without loading Optuna.

Optuna alone writes them. What it keeps in another way than here is for it to read.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, column, select, table
from sqlalchemy.exc import SQLAlchemyError

from fashiontui.domain.record import RunStanding
from fashiontui.domain.space import Value
from fashiontui.domain.study import StudySpec, StudyView, Trial, trial_of
from fashiontui.store.connection import connectable, for_reading, sqlite_file, studies_url
from fashiontui.store.store import Store

SPEC = "fashiontui"
"""Attribute of a study: its spec, as JSON."""
RUN = "run"
"""Attribute of a trial: id of its run in the store."""
SECONDS = "train_seconds"
"""Attribute of a trial: training and validation time."""

StudyFound = tuple[list[str], StudyView | None]
"""Names of all studies, the newest first, and one of them."""


def _table(name: str, *columns: str) -> Any:
    return table(name, *map(column, columns))


_studies = _table("studies", "study_id", "study_name")
_specs = _table("study_user_attributes", "study_id", "key", "value_json")
_trials = _table("trials", "trial_id", "study_id", "number", "state")
_params = _table("trial_params", "trial_id", "param_name", "param_value", "distribution_json")
_values = _table("trial_values", "trial_id", "objective", "value")
_steps = _table("trial_intermediate_values", "trial_id", "step", "intermediate_value")
_attributes = _table("trial_user_attributes", "trial_id", "key", "value_json")


class StudyReader:
    """Reads the studies beside a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._url = studies_url(store.url)
        self._engine: Engine | None = None

    def close(self) -> None:
        """Let go of the database."""
        if self._engine is not None:
            self._engine.dispose()

    def read(self, name: str | None = None) -> StudyFound | None:
        """Read a study, the newest where none is named, without its parameters' importances.

        Returns:
            None where Optuna must be asked: for studies in memory, or kept in another way.
        """
        if self._url is None:
            return None
        file = sqlite_file(self._url)
        if file is not None and not file.exists():
            return [], None
        try:
            self._engine = self._engine or connectable(self._url)
            with for_reading(self._engine).begin() as connection:
                return self._found(connection, name)
        except (SQLAlchemyError, ValueError, LookupError, TypeError, RecursionError):
            return None  # Optuna says what is wrong, if something is

    def _found(self, connection: Connection, name: str | None) -> StudyFound | None:
        specs = (
            select(_studies.c.study_id, _studies.c.study_name, _specs.c.value_json)
            .join_from(_studies, _specs, _studies.c.study_id == _specs.c.study_id)
            .where(_specs.c.key == SPEC)
            .order_by(_studies.c.study_id.desc())
        )
        found = {row.study_name: row for row in connection.execute(specs)}
        if not found or (name is not None and name not in found):
            return None if found else ([], None)
        row = found[name if name is not None else next(iter(found))]
        spec = msgspec.json.decode(json.loads(row.value_json), type=StudySpec)
        runs = self._store.of_study(row.study_name)
        trials = _trials_of(connection, row.study_id, spec, runs)
        return [*found], StudyView(row.study_name, spec, trials)


def _trials_of(
    connection: Connection, study_id: int, spec: StudySpec, runs: Mapping[str, RunStanding]
) -> tuple[Trial, ...]:
    def of_study(other: Any) -> Select[Any]:
        """Rows of a table about the study's trials."""
        return (
            select(other)
            .join_from(other, _trials, other.c.trial_id == _trials.c.trial_id)
            .where(_trials.c.study_id == study_id)
        )

    params: dict[int, dict[str, Value]] = defaultdict(dict)
    attributes: dict[int, dict[str, Any]] = defaultdict(dict)
    steps: dict[int, dict[int, float]] = defaultdict(dict)
    distributions: dict[str, Any] = {}
    for trial_id, name, value, distribution in connection.execute(of_study(_params)):
        if distribution not in distributions:
            distributions[distribution] = json.loads(distribution)
        params[trial_id][name] = _external(distributions[distribution], value)
    for trial_id, key, value in connection.execute(of_study(_attributes)):
        attributes[trial_id][key] = json.loads(value)
    for trial_id, step, value in connection.execute(of_study(_steps)):
        steps[trial_id][step] = value
    accuracies = {
        trial_id: value
        for trial_id, objective, value in connection.execute(of_study(_values))
        if objective == 0
    }
    trials = select(_trials).where(_trials.c.study_id == study_id).order_by(_trials.c.number)
    return tuple(
        trial_of(
            spec,
            row.number,
            row.state,
            params[row.trial_id],
            steps[row.trial_id],
            accuracies.get(row.trial_id),
            attributes[row.trial_id].get(RUN),
            attributes[row.trial_id].get(SECONDS),
            runs,
        )
        for row in connection.execute(trials)
        if params[row.trial_id]
    )


def _external(distribution: dict[str, Any], value: float) -> Value:
    """A parameter's value from the number that Optuna keeps of it."""
    match distribution["name"]:
        case "CategoricalDistribution":
            chosen: Value = distribution["attributes"]["choices"][int(value)]
            return chosen
        case "IntDistribution":
            return int(value)
        case "FloatDistribution":
            return float(value)
    raise ValueError(distribution["name"])
