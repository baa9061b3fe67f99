"""Where the program keeps things, by each platform's own convention."""

import os
from pathlib import Path

from platformdirs import PlatformDirs

from fashiontui.domain.errors import UsageError

_dirs = PlatformDirs("fashiontui", appauthor=False)


def data_folder() -> Path:
    """Where a download of Fashion-MNIST goes unless the user names another folder."""
    return _dirs.user_data_path


def data_folders(data_dir: Path | None) -> list[Path]:
    """Where Fashion-MNIST may lie; a download goes to the first.

    Args:
        data_dir: The folder asked for, if any.

    Raises:
        UsageError: it can be no folder's name.
    """
    folders = [data_dir, os.environ.get("FASHIONTUI_DATA_DIR"), data_folder()]
    try:
        return [Path(os.path.expanduser(folder)) for folder in folders if folder]
    except ValueError as error:  # a NUL after a tilde
        raise UsageError(f"{data_dir} names no folder.") from error


def default_store() -> str:
    """The store of runs unless the user names another one."""
    return str(_dirs.user_data_path / "runs.sqlite3")


def recipe_folder() -> Path:
    """The user's own recipes."""
    return _dirs.user_config_path / "recipes"


def measurements_file() -> Path:
    """What was measured of this machine's speed."""
    return _dirs.user_cache_path / "measurements.json"


def config_file() -> Path:
    """The user's settings of the app."""
    return _dirs.user_config_path / "config.toml"


def last_choice_file() -> Path:
    """What was chosen in the app the last time."""
    return _dirs.user_state_path / "last-choice.json"
