"""Errors a user can cause or mend, and the exit code each one ends the program with."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns; the README lists the same table."""

    DONE = 0
    RUN_FAILED = 1
    USAGE = 2
    NO_DATA = 3
    NO_DEVICE = 4
    NO_STORE = 5
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class FashiontuiError(Exception):
    """Base of every error whose message is one sentence for the user, remedy included."""

    exit_code = ExitCode.RUN_FAILED


class UsageError(FashiontuiError):
    """An argument, a budget or a recipe that cannot be used."""

    exit_code = ExitCode.USAGE


class DataError(FashiontuiError):
    """Fashion-MNIST cannot be found, downloaded, trusted or read."""

    exit_code = ExitCode.NO_DATA


class DeviceError(FashiontuiError):
    """The device asked for is not there, or cannot do what was asked."""

    exit_code = ExitCode.NO_DEVICE


class StoreError(FashiontuiError):
    """The store of runs cannot be opened, read or written."""

    exit_code = ExitCode.NO_STORE


class TrainingError(FashiontuiError):
    """A run that cannot go on, such as one whose loss is no longer a number."""


class CheckpointError(FashiontuiError):
    """A run cannot be continued from what is kept of it."""


class ExportError(FashiontuiError):
    """A file for another program that is not what it should be."""


class Pruned(FashiontuiError):
    """Thrown into a trial to end it early; the message says why."""
