"""Training: a generator of events, and the choice of where and how it runs."""

from fashiontui.engine.devices import Placement, available_devices, find_device
from fashiontui.engine.measure import choose_placement
from fashiontui.engine.state import TrainingState, begin
from fashiontui.engine.train import train

__all__ = [
    "Placement",
    "TrainingState",
    "available_devices",
    "begin",
    "choose_placement",
    "find_device",
    "train",
]
