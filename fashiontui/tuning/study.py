"""One study: asks Optuna for trials, and tells it what came of them."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import get_param_importances
from optuna.pruners import BasePruner, HyperbandPruner, NopPruner
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from fashiontui.domain.errors import StoreError
from fashiontui.domain.events import EpochEnded
from fashiontui.domain.record import RunRecord, RunStanding
from fashiontui.domain.space import Range, Value
from fashiontui.domain.study import (
    ENOUGH_TO_JUDGE,
    SHAPE,
    StudySpec,
    StudyView,
    Trial,
    trial_of,
)
from fashiontui.store.studies import RUN, SECONDS, SPEC

if TYPE_CHECKING:
    from fashiontui.tuning.studies import Studies

CAUSE = "cause"
"""Attribute of a trial that failed: why."""
SCORED = "scored"
"""Attribute of a study: runs of chosen trials that were trained anew, by the trials' numbers."""
PLACEMENT = "placement"
"""Attribute of a study: precision, threads and kernels of every trial."""
REDUCTION = 3
"""Of trials after as many epochs, one in so many goes on (Li et al. 2018, "Hyperband")."""


class Study:
    """A study in its store."""

    def __init__(self, optuna_study: optuna.Study, studies: "Studies") -> None:
        """Args:
        optuna_study: What Optuna keeps of it.
        studies: Where it is kept.

        Raises:
            StoreError: another program began it, or it is damaged.
        """
        self.studies = studies
        self.store = studies.store
        self.name = optuna_study.study_name
        self._optuna = optuna_study
        try:
            self.spec = msgspec.json.decode(optuna_study.user_attrs[SPEC], type=StudySpec)
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise StoreError(
                f"The study {self.name!r} was not begun by this program, or is damaged; "
                "give --study another name."
            ) from error
        self._distributions = {
            name: _distribution(values, self.spec.space.is_whole(name) if name != SHAPE else False)
            for name, values in self.spec.choices().items()
        }
        self._optuna.sampler = _Repeatable(self.spec)
        self._optuna.pruner = _pruner(self.spec)

    @property
    def placement(self) -> dict[str, Any] | None:
        """Precision, threads and kernels that were found fastest when the study began."""
        found = self._optuna.user_attrs.get(PLACEMENT)
        return found if isinstance(found, dict) else None

    @placement.setter
    def placement(self, found: dict[str, Any]) -> None:
        self._optuna.set_user_attr(PLACEMENT, found)

    @property
    def scored(self) -> dict[int, str]:
        """Ids of runs that stand for chosen trials, whose own weights were not to be had."""
        found = self._optuna.user_attrs.get(SCORED)
        return {int(number): str(run) for number, run in found.items()} if found else {}

    @scored.setter
    def scored(self, found: dict[int, str]) -> None:
        self._optuna.set_user_attr(SCORED, {str(number): run for number, run in found.items()})

    @property
    def most_trials(self) -> int | None:
        """Points of the grid; None for other samplers, which never end."""
        if self.spec.sampler != "grid":
            return None
        return int(np.prod([len(values) for values in self.spec.grid().values()]))

    def trials(self, *states: OptunaState) -> list[FrozenTrial]:
        """Trials in these states, or all, by number."""
        return self._optuna.get_trials(deepcopy=False, states=states or None)

    def ask(self, run_id: str) -> optuna.Trial:
        """A new trial, or one that is to be tried again.

        Args:
            run_id: Of the run that it will be.
        """
        trial = self._optuna.ask(self._distributions)
        trial.set_user_attr(RUN, run_id)
        return trial

    def again(self, trial: FrozenTrial) -> optuna.Trial:
        """A trial that was begun by another process, to go on with."""
        return optuna.Trial(self._optuna, trial._trial_id)

    def is_over(self, trial: optuna.Trial) -> bool:
        """Whether it is known how a trial ended."""
        return self.trials()[trial.number].state.is_finished()

    def running(self) -> list[FrozenTrial]:
        """Trials that have begun and are not over."""
        return self.trials(OptunaState.RUNNING)

    def waiting(self) -> list[FrozenTrial]:
        """Trials that are to be tried again."""
        return self.trials(OptunaState.WAITING)

    def report(self, trial: optuna.Trial, epochs: Sequence[EpochEnded]) -> str | None:
        """Tell of finished epochs; why the trial ends here, if it does.

        Args:
            trial: The trial.
            epochs: All of its finished epochs; those that are known already are passed over.
        """
        if self.spec.against is not None:  # Optuna prunes by one objective alone
            return None
        with self.studies.kept():
            known = self._optuna._storage.get_trial(trial._trial_id).intermediate_values
            most = self.spec.run_of(trial.params).settings.epochs
            for ended in epochs:
                if ended.epoch in known:
                    continue
                trial.report(ended.val_accuracy, ended.epoch)
                if ended.epoch < most and trial.should_prune():
                    return (
                        f"after epoch {ended.epoch}: with {ended.val_accuracy:.2f}% it is not in "
                        "the best third of the trials that came so far."
                    )
            return None

    def complete(self, trial: optuna.Trial, record: RunRecord) -> None:
        """Tell that a trial trained to its end."""
        assert record.val_accuracy is not None
        seconds = record.train_seconds or 0.0
        cost = {"weights": float(record.spec.weights), "time": seconds}
        against = self.spec.against
        trial.set_user_attr(SECONDS, seconds)
        self._optuna.tell(trial, [record.val_accuracy, *([cost[against]] if against else [])])

    def prune(self, trial: optuna.Trial, record: RunRecord) -> None:
        """Tell that a trial ended early because others did better."""
        trial.set_user_attr(SECONDS, record.train_seconds or 0.0)
        self._optuna.tell(trial, state=OptunaState.PRUNED)

    def fail(self, trial: optuna.Trial, cause: str, again: bool = False) -> None:
        """Tell that a trial failed.

        Args:
            trial: The trial.
            cause: Why, in one sentence.
            again: Whether a new trial shall try the same.
        """
        trial.set_user_attr(CAUSE, cause)
        self._optuna.tell(trial, state=OptunaState.FAIL)
        if again:
            self._optuna.enqueue_trial(trial.params)


class _Repeatable(BaseSampler):
    """A sampler of Optuna's, seeded anew for every trial by its number.

    So a study that was interrupted, or is fed by several processes, draws what an uninterrupted one
    would: a sampler's own state is not stored with its study.
    """

    def __init__(self, spec: StudySpec) -> None:
        self._spec = spec
        self._sampler = self._made(0)

    def _made(self, number: int) -> BaseSampler:
        seed = int(np.random.SeedSequence([self._spec.seed, number]).generate_state(1)[0])
        match self._spec.sampler:
            case "tpe":
                return TPESampler(seed=seed)
            case "random":
                return RandomSampler(seed=seed)
            case "grid":
                return GridSampler(self._spec.grid(), seed=self._spec.seed % 2**32)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Begin a trial."""
        self._sampler = self._made(trial.number)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Parameters that are drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw them."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw one of the others."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)


class _Hyperband(HyperbandPruner):
    """Optuna's, but a trial's bracket depends on the study's seed where Optuna takes its name.

    Two studies with the same seed then prune alike.
    """

    def __init__(self, spec: StudySpec) -> None:
        super().__init__(min_resource=1, max_resource=spec.most_epochs, reduction_factor=REDUCTION)
        self._seed = spec.seed

    def _get_bracket_id(self, study: Any, trial: FrozenTrial) -> int:
        return super()._get_bracket_id(SimpleNamespace(study_name=self._seed), trial)  # type: ignore[arg-type]


def _pruner(spec: StudySpec) -> BasePruner:
    if spec.pruner == "none" or spec.against is not None or spec.most_epochs < REDUCTION:
        return NopPruner()
    return _Hyperband(spec)


def directions(spec: StudySpec) -> list[Literal["minimize", "maximize"]]:
    """What is to be high and what low."""
    return ["maximize", "minimize"] if spec.against else ["maximize"]


def objectives(spec: StudySpec) -> list[str]:
    """What is to be high and what low, in words."""
    costs = {"weights": "weights", "time": "training time, s"}
    return ["validation accuracy, %", *([costs[spec.against]] if spec.against else [])]


def _distribution(values: tuple[Value, ...] | Range, whole: bool) -> BaseDistribution:
    if not isinstance(values, Range):
        return CategoricalDistribution(values)
    if whole:
        return IntDistribution(int(values.low), int(values.high), log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)


def view_of(study: Study) -> StudyView:
    """The study as it stands."""
    runs = study.store.of_study(study.name)
    trials = (_trial(trial, study.spec, runs) for trial in study.trials() if SHAPE in trial.params)
    return StudyView(study.name, study.spec, tuple(trials))


def importances(study: Study) -> dict[str, float] | None:
    """Share of each parameter, the most important first; of equals in the space's order."""
    if len(study.trials(OptunaState.COMPLETE)) < ENOUGH_TO_JUDGE:
        return None
    shares = get_param_importances(study._optuna)
    places = {name: place for place, name in enumerate(study.spec.choices())}
    order = sorted(shares, key=lambda name: (-round(shares[name], 6), places[name]))
    return {name: shares[name] for name in order}


def _trial(trial: FrozenTrial, spec: StudySpec, runs: Mapping[str, RunStanding]) -> Trial:
    complete = trial.state is OptunaState.COMPLETE
    return trial_of(
        spec,
        trial.number,
        trial.state.name,
        trial.params,
        trial.intermediate_values,
        trial.values[0] if complete and trial.values else None,
        trial.user_attrs.get(RUN),
        trial.user_attrs.get(SECONDS),
        runs,
    )
