"""Images and labels: Fashion-MNIST, the embedded sample set, splits and augmentation."""

from fashiontui.data.dataset import Dataset
from fashiontui.data.load import load

__all__ = ["Dataset", "load"]
