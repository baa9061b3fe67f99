"""A real HTTP server on the loopback that misbehaves as scripted."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = Callable[["Handler", bytes], None]
"""Answers one request for a file with these bytes."""


@dataclass
class Mirror:
    """What is served, how, and what was asked for."""

    files: dict[str, bytes]
    """Content by name."""
    script: list[Answer]
    """Answers to the requests in turn; the last one repeats."""
    address: str = ""
    asked: list[str] = field(default_factory=list)
    """Paths of the requests, with the beginning of the range where one was asked for."""
    closing: threading.Event = field(default_factory=threading.Event)
    """Set when silent answers may end."""


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the script."""

    mirror: Mirror

    def do_GET(self) -> None:
        mirror = self.mirror
        answer = mirror.script[min(len(mirror.asked), len(mirror.script) - 1)]
        beginning = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
        mirror.asked.append(self.path + (f" from {beginning}" if beginning else ""))
        content = mirror.files.get(self.path.rpartition("/")[2])
        if content is None:
            status(404)(self, b"")
        else:
            answer(self, content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def head(self, code: int, length: int, **headers: str) -> None:
        """Send status and headers."""
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that has gone is what some tests are about."""


@contextmanager
def serving(files: dict[str, bytes], *script: Answer, tls: bool = False) -> Iterator[Mirror]:
    """A server on the loopback, with a certificate that nobody trusts where it speaks TLS."""
    mirror = Mirror(files, [*script])
    handler = type("Scripted", (Handler,), {"mirror": mirror})
    with _Server(("127.0.0.1", 0), handler) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(Path(__file__).with_name("untrusted.pem"))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        mirror.address = f"http{'s' * tls}://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield mirror
        finally:
            mirror.closing.set()
            server.shutdown()
            thread.join()


def whole(handler: Handler, content: bytes) -> None:
    """Send what was asked for, as an honest server does."""
    beginning = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    if beginning and beginning >= len(content):
        status(416)(handler, content)
        return
    handler.head(206 if beginning else 200, len(content) - beginning)
    handler.wfile.write(content[beginning:])


def from_the_start(handler: Handler, content: bytes) -> None:
    """Send everything, whatever part was asked for."""
    handler.head(200, len(content))
    handler.wfile.write(content)


def another_file(handler: Handler, content: bytes) -> None:
    """Send as many bytes of something else."""
    from_the_start(handler, bytes(len(content)))


def login_page(handler: Handler, content: bytes) -> None:
    """Send a web page, as networks do that want a login."""
    page = b"<html>Log in</html>"
    handler.head(200, len(page), Content_Type="text/html; charset=utf-8")
    handler.wfile.write(page)


def silence(handler: Handler, content: bytes) -> None:
    """Accept the request and say nothing."""
    handler.mirror.closing.wait(10)


def silence_midway(handler: Handler, content: bytes) -> None:
    """Send half and then nothing."""
    handler.head(200, len(content))
    handler.wfile.write(content[: len(content) // 2])
    handler.mirror.closing.wait(10)


def trickle(handler: Handler, content: bytes) -> None:
    """Send a byte every 20 milliseconds."""
    handler.head(200, len(content))
    for i in range(len(content)):
        handler.wfile.write(content[i : i + 1])
        if handler.mirror.closing.wait(0.02):
            return


def reset_midway(handler: Handler, content: bytes) -> None:
    """Send half, then reset the connection."""
    handler.head(200, len(content))
    handler.wfile.write(content[: len(content) // 2])
    handler.wfile.flush()
    at_once = struct.pack("ii", 1, 0)  # linger no second: closing resets
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    handler.connection.shutdown(socket.SHUT_RD)
    handler.close_connection = True
    handler.connection.close()


def too_long_announced(handler: Handler, content: bytes) -> None:
    """Announce more than is sent."""
    handler.head(200, len(content) + 1000)
    handler.wfile.write(content)


def too_short_announced(handler: Handler, content: bytes) -> None:
    """Announce less than is sent."""
    handler.head(200, len(content) - 1)
    handler.wfile.write(content)


def endless(handler: Handler, content: bytes) -> None:
    """Send without end."""
    handler.head(200, 10**12)
    while not handler.mirror.closing.is_set():
        handler.wfile.write(bytes(65536))


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and no file."""

    def answer(handler: Handler, content: bytes) -> None:
        handler.head(code, 0, **headers)

    return answer
