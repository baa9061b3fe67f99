"""What the lab survives; run each as ``python -m benchmarks.reliability.NAME``."""
