"""Packages that only some people need: a missing one is one sentence, not a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from fashiontui.domain.errors import UsageError


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Imports of packages that an extra of ``pyproject.toml`` installs stand within this.

    Args:
        name: Of the extra.
        what: What needs them, as the beginning of the sentence.

    Raises:
        UsageError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{what} needs the Python package {error.name}; run: pip install 'fashiontui[{name}]'"
        ) from error


@contextmanager
def needed(what: str) -> Iterator[None]:
    """Imports of packages that are installed with the program, unless somebody removed them.

    Args:
        what: What needs them, as the beginning of the sentence.

    Raises:
        UsageError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{what} needs the Python package {error.name}; run: pip install {error.name}"
        ) from error
