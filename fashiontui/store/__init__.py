"""Runs, their histories and their predictions, kept in a database."""

from fashiontui.store.store import Store

__all__ = ["Store"]
