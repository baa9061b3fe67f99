"""fashiontui: an accuracy-per-weight lab for small networks on Fashion-MNIST."""

__version__ = "0.1.0"
