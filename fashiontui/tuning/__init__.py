"""Searches for settings and shapes, by Optuna; trials are runs of the store."""

from fashiontui.domain.study import Limits
from fashiontui.tuning.search import next_trial, score_chosen
from fashiontui.tuning.studies import Studies
from fashiontui.tuning.study import Study

__all__ = ["Limits", "Studies", "Study", "next_trial", "score_chosen"]
