"""Harnesses that try to break what must not break; each prints its figures."""
