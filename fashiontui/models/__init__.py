"""Networks as torch modules, built from the parts their families declare."""

from fashiontui.models.build import build

__all__ = ["build"]
