"""``fashiontui serve``: the app in a browser of this machine."""

from pathlib import Path
from typing import Annotated

import typer

from fashiontui.cli_options import DataDirOption, StoreOption, one_of


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="To listen on.")] = 8000,
    data: Annotated[
        str, typer.Option(help="As for the app: auto, fashion-mnist, sample.")
    ] = "auto",
    data_dir: DataDirOption = None,
    store: StoreOption = None,
) -> None:
    """Serve the app to a browser on this machine, at http://127.0.0.1:PORT; to nobody else."""
    one_of("--data", data, ("auto", "fashion-mnist", "sample"))
    from fashiontui.paths import default_store
    from fashiontui.serve import serve as serve_app

    arguments = ["--data", data, "--store", store or default_store()]
    if data_dir is not None:
        arguments += ["--data-dir", str(Path(data_dir).absolute())]
    serve_app(arguments, port)
