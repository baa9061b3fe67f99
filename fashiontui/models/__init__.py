"""Networks as torch modules, one builder per family."""

from fashiontui.models.build import build

__all__ = ["build"]
