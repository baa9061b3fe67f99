"""The app in a browser of this machine, over textual-serve: each page is an app of its own."""

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from shlex import join
from socket import create_server

from fashiontui.domain.errors import UsageError
from fashiontui.domain.extras import extra

with extra("serve", "Serving the app to a browser"):
    from aiohttp import web
    from textual_serve.server import Server

HOST = "127.0.0.1"
_TERMINAL = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
"""What the page is, whatever terminal or service the server was started from."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(arguments: Sequence[str], port: int) -> None:
    """Serve the app on this machine until a signal ends it.

    Args:
        arguments: Of the app's command line.
        port: To listen on.

    Raises:
        UsageError: the port cannot be had.
    """
    os.environ.update(_TERMINAL)
    try:
        create_server((HOST, port)).close()  # asked before it is said where the app is
        LocalServer(join([sys.executable, "-m", "fashiontui", *arguments]), port).serve()
    except OSError as error:
        raise UsageError(
            f"Cannot listen on {HOST}:{port}: {error.strerror}; name another port with --port."
        ) from error


class LocalServer(Server):
    """Textual's server for this machine's browser alone.

    Pages of other sites are open in the same browser and may call any address of this machine, so
    that only requests from its own page are answered: other hosts' names, which would be such a
    page's after its site had been pointed to 127.0.0.1, and other origins are refused. The page is
    told to load nothing from elsewhere; textual-serve's own asks another site for a font.
    """

    def __init__(self, command: str, port: int) -> None:
        """Args:
        command: Starts the app, in a shell.
        port: To listen on.
        """
        super().__init__(command, host=HOST, port=port, title="fashiontui")
        self._own = f"{HOST}:{port}"
        self._policy = (
            "default-src 'none'; script-src 'self' 'unsafe-inline'; "
            "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
            f"connect-src ws://{self._own}; frame-ancestors 'none'; base-uri 'none'"
        )

    def initialize_logging(self) -> None:
        """Leave logging as it is: what goes wrong reaches stderr."""

    async def on_startup(self, app: web.Application) -> None:
        """Say where it is."""
        print(f"fashiontui is at http://{self._own} (Ctrl+C ends it).", file=sys.stderr, flush=True)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._own_page_only)
        return app

    @web.middleware
    async def _own_page_only(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.host == f"localhost:{self.port}" and request.path == "/":
            raise web.HTTPFound(f"http://{self._own}/")
        origin = request.headers.get("Origin")
        if request.host != self._own or origin not in (None, f"http://{self._own}"):
            raise web.HTTPForbidden(text=f"Open http://{self._own} itself.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = self._policy
        return response
