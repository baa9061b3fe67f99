"""fashiontui: an accuracy-per-weight lab for small networks on Fashion-MNIST."""

import os

__version__ = "0.1.0"

# Small networks meet a barrier every few microseconds. Threads that spin there starve each other
# when anything else wants a core (another program, this one's own screen): steps then take many
# times as long. Threads that sleep do not. OpenMP reads this when torch is loaded, hence here.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
