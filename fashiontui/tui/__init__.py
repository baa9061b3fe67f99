"""The interactive app, over Textual."""

from pathlib import Path

from fashiontui import paths
from fashiontui.config import Config, load_config
from fashiontui.domain.errors import UsageError
from fashiontui.domain.spec import DataChoice


def run_app(store: str, data: DataChoice, data_folders: list[Path], device: str | None) -> None:
    """Run the app until the user quits.

    Args:
        store: URL or path of the store.
        data: Which data set.
        data_folders: Where Fashion-MNIST may lie; a download goes to the first.
        device: Device picked at first; the one picked last when None.

    Raises:
        UsageError: the terminal cannot show it.
    """
    from fashiontui.tui.app import FashionTui
    from fashiontui.tui.choice import load_choice
    from fashiontui.tui.terminal import check_terminal, terminal_glyphs

    check_terminal()
    notices = []
    choice, notice = load_choice(paths.last_choice_file())
    if notice:
        notices.append(notice)
    if choice.data_folder:
        data_folders = [*data_folders, Path(choice.data_folder)]
    if device is not None:
        choice = choice.model_copy(update={"device": device})
    try:
        config = load_config(paths.config_file())
    except UsageError as error:
        config = Config()
        notices.append(f"{error} The settings in it are not used.")
    glyphs = terminal_glyphs()
    FashionTui(store, data, data_folders, choice, config, tuple(notices), glyphs).run()
