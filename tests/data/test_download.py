"""A download survives every misbehaviour of mirrors, networks, disks and users, or says why not."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import mirror as answers
import pytest
from mirror import Answer, Mirror, serving, whole

from fashiontui.data.download import Cancelled, Download, Patience, Undeliverable

FILES = {"images.gz": bytes(range(256)) * 300, "labels.gz": b"labels" * 50}
CHECKSUMS = [(name, hashlib.md5(content).hexdigest()) for name, content in FILES.items()]
TOTAL = sum(map(len, FILES.values()))
IMPATIENT = Patience(stall_seconds=0.3, least_bytes=2000, waits=(0, 0.01, 0.02))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxies this machine has, they are not for the loopback."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def download(folder: Path, *mirrors: Mirror | str, **changes: object) -> Download:
    """A download of both files that gives up soon."""
    addresses = [m.address if isinstance(m, Mirror) else m for m in mirrors]
    return Download(
        **{
            "files": CHECKSUMS,
            "mirrors": addresses,
            "folder": folder,
            "partials": folder / ".partial",
            "most_bytes": TOTAL,
            "arrived": lambda done: None,
            "cancelled": lambda: False,
            "waiting": lambda: None,
            "patience": IMPATIENT,
            **changes,
        }
    )


def is_complete(folder: Path) -> bool:
    """Whether the files lie there, whole, and nothing else does."""
    there = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return there == FILES and len(list(folder.iterdir())) == len(FILES)


def holds_nothing_half_written(folder: Path) -> bool:
    """Whether every file with a final name is whole."""
    return all(path.read_bytes() == FILES[path.name] for path in folder.iterdir() if path.is_file())


def refused(one: Download) -> str:
    """What is said when nobody delivers."""
    with pytest.raises(Undeliverable) as raised:
        one.run()
    assert holds_nothing_half_written(one.folder)
    return str(raised.value)


def test_files_arrive_whole_and_nothing_else_is_left(folder: Path) -> None:
    with serving(FILES, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)
    assert mirror.asked == ["/images.gz", "/labels.gz"]


def test_progress_grows_to_the_size_of_all_files(folder: Path) -> None:
    told: list[int] = []
    with serving(FILES, whole) as mirror:
        download(folder, mirror, arrived=told.append).run()
    assert told == sorted(told)
    assert told[-1] == TOTAL


PASSING: list[Answer] = [
    answers.status(500),
    answers.status(503),
    answers.status(429),
    answers.silence,
    answers.silence_midway,
    answers.trickle,
    answers.reset_midway,
    answers.another_file,
    answers.too_short_announced,
]
LASTING: list[Answer] = [
    answers.status(401),
    answers.status(403),
    answers.status(404),
    answers.status(204),
    answers.status(302),
    answers.status(302, Location="/elsewhere"),
    answers.status(302, Location="http://[nonsense"),
    answers.status(302, Location=f"http://{'a' * 300}.invalid/"),
    answers.status(302, Location="file:///etc/passwd"),
    answers.login_page,
    answers.endless,
]


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_overcome_at_the_same_mirror(fault: Answer, folder: Path) -> None:
    with serving(FILES, fault, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)


@pytest.mark.parametrize("fault", PASSING + LASTING)
def test_the_next_mirror_steps_in_for_one_with_a_fault(fault: Answer, folder: Path) -> None:
    with serving(FILES, fault) as broken, serving(FILES, whole) as alive:
        download(folder, broken, alive).run()
    assert is_complete(folder)
    assert alive.asked


@pytest.mark.parametrize("fault", PASSING)
def test_retries_are_bounded(fault: Answer, folder: Path) -> None:
    with serving(FILES, fault) as mirror:
        said = refused(download(folder, mirror))
    assert len(mirror.asked) == len(IMPATIENT.waits)
    assert mirror.address.split("/")[2] in said


@pytest.mark.parametrize(
    "fault", [answers.status(403), answers.status(404), answers.login_page, answers.endless]
)
def test_a_mirror_that_would_do_the_same_again_is_asked_once(fault: Answer, folder: Path) -> None:
    with serving(FILES, fault) as mirror:
        refused(download(folder, mirror, patience=replace(IMPATIENT, stall_seconds=30)))
    assert len(mirror.asked) == 1


def test_waits_between_rounds_are_kept(folder: Path) -> None:
    began = time.monotonic()
    with serving(FILES, answers.status(503)) as mirror:
        refused(download(folder, mirror, patience=Patience(waits=(0, 0.1, 0.2))))
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answers.status(403), "403 Forbidden"),
        (answers.status(503), "503 Service Unavailable"),
        (answers.status(599), "599 is no known status"),
        (answers.silence, "less than 2,000 bytes in 0.3 s"),
        (answers.trickle, "less than 2,000 bytes in 0.3 s"),
        (answers.reset_midway, "Connection reset|without|incomplete"),
        (answers.login_page, "does this network want a login"),
        (answers.another_file, "another checksum"),
        (answers.endless, "more than the file has"),
    ],
)
def test_the_last_word_names_what_each_mirror_said(fault: Answer, words: str, folder: Path) -> None:
    with serving(FILES, fault) as one, serving(FILES, answers.status(404)) as other:
        said = refused(download(folder, one, other))
    first, second = said.split("; ")
    assert re.search(words, first)
    assert one.address.split("/")[2] in first
    assert "404 Not Found" in second
    assert "\n" not in said


def test_a_web_page_behind_a_redirect_is_refused(folder: Path) -> None:
    files = {**FILES, "login": b""}
    with serving(files, answers.status(302, Location="/login"), answers.login_page) as mirror:
        assert "want a login" in refused(download(folder, mirror))


def test_a_redirect_to_the_file_is_followed(folder: Path) -> None:
    moved = answers.status(302, Location="/mirror/images.gz")
    with serving(FILES, moved, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)


def test_a_file_announced_too_long_is_kept_when_its_checksum_is_right(folder: Path) -> None:
    with serving(FILES, answers.too_long_announced) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)
    assert len(mirror.asked) == len(FILES)


def test_what_has_arrived_is_not_asked_for_again(folder: Path) -> None:
    with serving(FILES, answers.reset_midway, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)
    [_, again, _] = mirror.asked
    assert again.startswith("/images.gz from ")


def test_the_next_start_takes_up_what_the_last_one_left(folder: Path) -> None:
    with serving(FILES, answers.silence_midway) as mirror:
        refused(download(folder, mirror))
    with serving(FILES, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)
    assert mirror.asked[0] == f"/images.gz from {len(FILES['images.gz']) // 2}"


def test_a_server_that_knows_no_ranges_sends_everything_again(folder: Path) -> None:
    with serving(FILES, answers.reset_midway, answers.from_the_start) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)


@pytest.mark.parametrize("left", [b"x", b"x" * 2 * TOTAL, FILES["images.gz"][:-1] + b"x"])
def test_a_spoiled_partial_file_is_begun_again(left: bytes, folder: Path) -> None:
    (folder / ".partial").mkdir()
    (folder / ".partial" / "images.gz").write_bytes(left)
    with serving(FILES, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)


def test_a_file_that_was_complete_but_not_moved_is_not_asked_for(folder: Path) -> None:
    (folder / ".partial").mkdir()
    (folder / ".partial" / "images.gz").write_bytes(FILES["images.gz"])
    with serving(FILES, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)
    assert mirror.asked == ["/labels.gz"]


def test_a_file_that_lies_there_is_not_asked_for(folder: Path) -> None:
    (folder / "images.gz").write_bytes(FILES["images.gz"])
    with serving(FILES, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)
    assert mirror.asked == ["/labels.gz"]


def test_a_dead_mirror_is_named_with_its_reason(folder: Path) -> None:
    with serving(FILES, whole) as gone:
        pass
    assert "Connection refused" in refused(download(folder, gone))


def test_without_names_the_network_is_suspected(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    said = refused(download(folder, "http://mirror.invalid/"))
    assert said == "mirror.invalid: its name is not known here: no network?"


def test_a_certificate_that_nobody_vouches_for_is_refused(folder: Path) -> None:
    with serving(FILES, whole, tls=True) as mirror:
        assert "its certificate is not trusted" in refused(download(folder, mirror))
    assert mirror.asked == []


def test_a_server_that_speaks_no_tls_is_named(folder: Path) -> None:
    with serving(FILES, whole) as mirror:
        said = refused(download(folder, mirror.address.replace("http:", "https:")))
    assert "no TLS connection" in said


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_proxy_of_the_environment_is_used(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FILES, whole) as proxy:
        monkeypatch.setenv(name, proxy.address)
        download(folder, "http://mirror.invalid/").run()
    assert is_complete(folder)
    assert proxy.asked[0] == "http://mirror.invalid/images.gz"


@pytest.mark.parametrize(
    ("name", "value"), [("http_proxy", "carrier-pigeon://x"), ("SSL_CERT_FILE", "/nowhere.pem")]
)
def test_settings_of_the_environment_that_cannot_be_used_are_said(
    name: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert "settings of the environment" in refused(download(folder, "http://mirror.invalid/"))


def test_a_full_disk_is_not_blamed_on_the_mirror(folder: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    (folder / ".partial").mkdir()
    (folder / ".partial" / "images.gz").symlink_to("/dev/full")
    with serving(FILES, whole) as mirror, pytest.raises(OSError, match="No space left"):
        download(folder, mirror).run()
    assert len(mirror.asked) == 1
    assert holds_nothing_half_written(folder)


@contextmanager
def in_a_thread(one: Download) -> Iterator[list[BaseException | None]]:
    """Run it beside the test; what it ended with, once it has."""
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            one.run()
            ended.append(None)
        except (Exception, Cancelled) as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield ended
    thread.join(60)
    assert not thread.is_alive()


def wait_for(met: Callable[[], object]) -> None:
    """Until it is so; a minute at most, for machines that are busy."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if met():
            return
        time.sleep(0.01)
    pytest.fail("it never came to pass")


@pytest.mark.parametrize("fault", [answers.silence, answers.silence_midway, answers.trickle])
def test_cancelling_takes_effect_within_a_second_and_keeps_what_arrived(
    fault: Answer, folder: Path
) -> None:
    cancel = threading.Event()
    patient = Patience(stall_seconds=60)
    with serving(FILES, fault) as mirror:
        one = download(folder, mirror, cancelled=cancel.is_set, patience=patient)
        with in_a_thread(one) as ended:
            wait_for(lambda: mirror.asked)
            began = time.monotonic()
            cancel.set()
            wait_for(lambda: ended)
    assert time.monotonic() - began < 1
    assert isinstance(ended[0], Cancelled)
    assert not [path for path in folder.iterdir() if path.is_file()]
    with serving(FILES, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)


def test_cancelling_does_not_wait_for_a_name_to_be_looked_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer, cancel = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        asked.set()
        answer.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    one = download(folder, "http://mirror.invalid/", cancelled=cancel.is_set, patience=Patience())
    with in_a_thread(one) as ended:
        asked.wait(10)
        began = time.monotonic()
        cancel.set()
        wait_for(lambda: ended)
    assert time.monotonic() - began < 1
    answer.set()
    assert isinstance(ended[0], Cancelled)


PROCESS = """
import sys
from pathlib import Path
from fashiontui.data.download import Download, Patience
folder = Path(sys.argv[1])
Download({checksums!r}, sys.argv[2:], folder, folder / ".partial", {total},
         lambda done: print(done, flush=True), lambda: False,
         lambda: print("waiting", flush=True), Patience()).run()
"""


def process(folder: Path, mirror: Mirror) -> subprocess.Popen[str]:
    """The same download in a process of its own."""
    code = PROCESS.format(checksums=CHECKSUMS, total=TOTAL)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), mirror.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_of_two_processes_one_downloads_and_both_are_served(folder: Path) -> None:
    go_on = threading.Event()

    def held(handler: answers.Handler, content: bytes) -> None:
        go_on.wait(30)
        whole(handler, content)

    with serving(FILES, held) as mirror:
        both = [process(folder, mirror), process(folder, mirror)]
        said: list[str] = []
        listeners = [
            threading.Thread(target=lambda one=one: said.append(one.stdout.readline()))
            for one in both
        ]
        for listener in listeners:
            listener.start()
        wait_for(lambda: "waiting\n" in said)
        go_on.set()
        ends = [one.communicate(timeout=30) for one in both]
        for listener in listeners:
            listener.join()
    assert [one.returncode for one in both] == [0, 0], ends
    assert mirror.asked == ["/images.gz", "/labels.gz"]
    assert is_complete(folder)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_is_ended_midway_leaves_nothing_half_written(
    sent: signal.Signals, folder: Path
) -> None:
    with serving(FILES, answers.silence_midway) as mirror:
        one = process(folder, mirror)
        assert one.stdout is not None
        one.stdout.readline()
        one.send_signal(sent)
        _, err = one.communicate(timeout=60)
    assert one.returncode != 0
    assert "KeyboardInterrupt" in err or sent is signal.SIGKILL
    assert not [path for path in folder.iterdir() if path.is_file()]
    with serving(FILES, whole) as mirror:
        download(folder, mirror).run()
    assert is_complete(folder)
    assert mirror.asked[0].startswith("/images.gz from ")
