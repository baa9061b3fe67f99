"""``fashiontui serve``: the app in a browser of this machine, and for no other page or machine."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from browser import page
from test_export_commands import is_refused, without

from fashiontui.paths import last_choice_file
from fashiontui.tui.choice import Choice, save_choice

PATIENCE = 300.0
"""Longest wait for anything, in seconds; far more than it takes on a busy machine."""


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def served(tmp_path):
    """Process and port of a server whose app trains 9,999 epochs on the sample set."""
    choice = Choice(budget="10k", overrides={"epochs": "9999"}, precision="fp32")
    save_choice(choice, last_choice_file())
    port = free_port()
    command = [sys.executable, "-m", "fashiontui", "serve", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--data", "sample", "--store", "runs.db"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TERM": "dumb", "LC_ALL": "C"},  # whatever it was started from
    ) as server:
        try:
            said = server.stderr.readline()
            assert said == f"fashiontui is at http://127.0.0.1:{port} (Ctrl+C ends it).\n"
            yield server, port
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)
            server.stderr.close()


def test_only_its_own_page_on_this_machine_is_answered(served):
    server, port = served
    own = f"http://127.0.0.1:{port}"
    with httpx.Client() as client:
        page = client.get(own)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert f"connect-src ws://127.0.0.1:{port};" in page.headers["Content-Security-Policy"]
        moved = client.get(f"http://localhost:{port}")
        assert (moved.status_code, moved.headers["Location"]) == (302, f"{own}/")
        rebound = client.get(own, headers={"Host": f"evil.example:{port}"})
        assert (rebound.status_code, rebound.text) == (403, f"Open {own} itself.\n")
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        upgrade |= {
            "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
            "Origin": "http://evil.example",
        }
        assert client.get(f"{own}/ws", headers=upgrade).status_code == 403
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]
    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE) == 0


def test_a_port_that_is_taken_is_one_sentence(cli):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = cli("serve", "--port", str(taken.getsockname()[1]), "--data", "sample")
    is_refused(told, "name another port with --port")


def test_without_its_package_it_says_what_to_install(here, monkeypatch):
    without(monkeypatch, "textual_serve")
    monkeypatch.delitem(sys.modules, "fashiontui.serve", raising=False)
    is_refused(here("serve"), "pip install 'fashiontui[serve]'")


def statuses(store: Path):
    """Of the stored runs; none while the store is made."""
    if not store.exists():
        return []
    with closing(sqlite3.connect(store)) as plain, suppress(sqlite3.OperationalError):
        return [status for (status,) in plain.execute("SELECT status FROM runs")]
    return []


def wait_for(store: Path, wanted):
    limit = time.monotonic() + PATIENCE
    while statuses(store) != wanted:
        assert time.monotonic() < limit, statuses(store)
        time.sleep(0.2)


def test_in_a_browser_it_trains_and_a_closed_page_saves_the_run(served, chromium, tmp_path):
    _, port = served

    async def visit():
        async with page(chromium, f"http://127.0.0.1:{port}/", tmp_path / "profile") as opened:
            await opened.until("document.body.classList.contains('-first-byte')", PATIENCE)
            await opened.value("document.querySelector('.xterm-helper-textarea').focus()")
            limit = time.monotonic() + PATIENCE
            while "running" not in statuses(tmp_path / "runs.db"):
                assert time.monotonic() < limit
                await opened.type("t")  # until the app has loaded what it trains with
                await asyncio.sleep(1)
            await opened.picture(tmp_path / "page.png")
            return opened.received

    received = asyncio.run(visit())
    assert all(address.startswith(f"http://127.0.0.1:{port}/") for address in received)
    assert (tmp_path / "page.png").stat().st_size > 10_000
    wait_for(tmp_path / "runs.db", ["stopped"])
    assert len(list((tmp_path / "runs.db-checkpoints").iterdir())) == 1
