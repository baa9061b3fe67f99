"""Strangers' input: every parser gets mutations of valid inputs and must take or refuse each.

``python -m benchmarks.reliability.fuzz [--cases 30000]`` prints for each parser how many inputs it
refused with a sentence, how many it accepted, how many ended in any other exception or took too
long, and the slowest. Anything in the last two makes the exit code 1. To add a parser, add a line
to ``parsers``.
"""

import argparse
import logging
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.reliability import targets
from fashiontui.domain.errors import FashiontuiError

SECONDS = 2.0
"""An input that takes longer counts as a hang."""
NUMBERS = (b"0", b"-1", b"1e999", b"nan", b"-inf", b"1_000", b"9" * 5000, b"0x" + b"f" * 5000)
OTHER_VALUES = (b"true", b"null", b"1979-05-27", b"07:32:00", b"[]", b"{}", b"'x'", b'"\\u001b[2J"')
CHARACTERS = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[31m",
    "\u202e²".encode(),
    b"\r",
    b"\\ud800",
    b"[/]",
    b"~r/",
)
MARKS = (b"\n", b"'", b'"', b"'''", b",", b".", b"-", b"=", b"#", b"[[", b"]]", b"/", b"../")
LONG = (b"x" * 300, b"a." * 450, b"a." * 20_000, b"[" * 500, b"{a=" * 300)
DEEP = (b"[" * 5000, b'{"a":' * 5000, b"{a=" * 5000)
"""Nested more deeply than Python recurses."""


@dataclass(frozen=True)
class Parser:
    """Something that reads what strangers write."""

    name: str
    parse: Callable[[bytes], object]
    """Raises ``FashiontuiError`` to refuse."""
    valid: Sequence[bytes]
    """Inputs that it must accept; the others are made from these."""
    words: Sequence[bytes]
    """What means something to it, put in beside what trips all parsers."""


def parsers(folder: Path) -> list[Parser]:
    """Every parser; what needs files makes them in ``folder``."""
    t = targets.Targets(folder)
    return [
        Parser("budget", t.budget, [b"50k", b"0.05M", b"50,000", b"5_000_000"], [b"k", b"M"]),
        Parser("shape", t.shape, [b"112,106", b"40, 64", b"1"], [b"9999999", b",1" * 9]),
        Parser("recipe file", t.recipe, targets.RECIPES, targets.RECIPE_WORDS),
        Parser("recipe name", t.recipe_name, [b"fast", b"own"], t.paths),
        Parser("search space", t.space, targets.SPACES, targets.SEARCH_WORDS),
        Parser("sweep's plan", t.sweep, targets.PLANS, targets.SEARCH_WORDS),
        Parser("config file", t.config, targets.CONFIGS, targets.CONFIG_WORDS),
        Parser("keymap", t.keymap, targets.KEYMAPS, targets.CONFIG_WORDS),
        Parser("choice file", t.choice, targets.CHOICES, targets.CHOICE_WORDS),
        Parser("measurements", t.measurements, targets.MEASURED, targets.CHOICE_WORDS),
        Parser("command line", t.command_line, t.commands, [*t.options, *t.paths]),
        Parser("IDX images", t.idx_images, targets.IDX_IMAGES, targets.IDX_WORDS),
        Parser("IDX labels", t.idx_labels, targets.IDX_LABELS, targets.IDX_WORDS),
        Parser("gz archive", t.archive, targets.ARCHIVES, [*targets.IDX_WORDS, *targets.BOMBS]),
        Parser("checkpoint", t.checkpoint, t.checkpoints, targets.CHECKPOINT_WORDS),
        Parser("picture", t.picture, t.pictures, targets.PICTURE_WORDS),
        Parser("imported runs", t.imported_runs, t.stores, targets.STORE_WORDS),
        Parser("data folder", t.data_folder, [str(folder).encode()], t.paths),
    ]


class Hang(BaseException):
    """An input took longer than ``SECONDS``."""


@dataclass
class Tally:
    """What became of one parser's inputs."""

    name: str
    refused: int = 0
    accepted: int = 0
    hangs: int = 0
    tracebacks: int = 0
    slowest: float = 0.0
    """Seconds."""
    worst: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """The shortest input for every kind of fault, with its traceback."""

    @property
    def cases(self) -> int:
        """How many inputs there were."""
        return self.refused + self.accepted + self.hangs + self.tracebacks

    @property
    def line(self) -> str:
        """The row of the table."""
        return (
            f"{self.name:<14}{self.cases:>8,}{self.refused:>10,}{self.accepted:>10,}"
            f"{self.tracebacks:>12,}{self.hangs:>7,}{1000 * self.slowest:>9.0f} ms"
        )

    def blame(self, content: bytes, error: BaseException) -> None:
        """Keep the shortest input that ends in an exception from the same place."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
        if kind not in self.worst or len(content) < len(self.worst[kind][0]):
            self.worst[kind] = (content, "".join(traceback.format_exception(error, limit=-4)))


def fuzz(parser: Parser, cases: int, derandomize: bool = False) -> Tally:
    """Try a parser on its valid inputs, which it must accept, and on mutations of them."""
    tally = Tally(parser.name)
    for content in parser.valid:
        before = tally.accepted
        _try(parser, content, tally)
        if tally.accepted == before and not tally.worst:
            raise AssertionError(f"{parser.name} refuses a valid input: {content[:200]!r}")

    @settings(
        max_examples=max(1, cases - len(parser.valid)),
        deadline=None,
        database=None,
        derandomize=derandomize,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_mutated(parser))
    def run(content: bytes) -> None:
        _try(parser, content, tally)

    run()
    return tally


def _try(parser: Parser, content: bytes, tally: Tally) -> None:
    began = perf_counter()
    try:
        with _alarm(SECONDS):
            parser.parse(content)
        tally.accepted += 1
    except FashiontuiError as error:
        if str(error):
            tally.refused += 1
        else:
            tally.tracebacks += 1
            tally.blame(content, error)
    except Hang as error:
        tally.hangs += 1
        tally.blame(content, error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        tally.tracebacks += 1
        tally.blame(content, error)
    tally.slowest = max(tally.slowest, perf_counter() - began)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise ``Hang`` in the main thread, also where it waits for a file."""

    def ring(*_: object) -> None:
        raise Hang(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_TOKEN = re.compile(rb"""'[^'\n]*'|"[^"\n]*"|[\w.]+|\W""")
"""A quoted text, a word or number, or a mark."""


@st.composite
def _mutated(draw: st.DrawFn, parser: Parser) -> bytes:
    """A valid input with a few pieces replaced, put in, left out or repeated.

    Every other piece is a whole word, number or mark, so that what is put in often comes to stand
    where a value is expected.
    """
    content = draw(st.sampled_from(parser.valid))
    kinds = [NUMBERS, OTHER_VALUES, CHARACTERS, MARKS, LONG, DEEP]
    hostile = st.sampled_from(kinds).flatmap(st.sampled_from)
    for _ in range(draw(st.integers(1, 3))):
        tokens = [match.span() for match in _TOKEN.finditer(content)]
        if tokens and draw(st.booleans()):
            start, end = draw(st.sampled_from(tokens))
        else:
            start = draw(st.integers(0, len(content)))
            end = min(len(content), start + draw(st.sampled_from([0, 0, 1, 2, 8, 64, 10**6])))
        other = draw(st.sampled_from(parser.valid))
        cut = draw(st.integers(0, len(other)))
        pieces = st.sampled_from([b"", content[start:end] * 2, other[cut : cut + 40]])
        piece = draw(hostile | hostile | st.sampled_from(parser.words) | pieces | st.binary())
        content = content[:start] + piece + content[end:]
    return content


@contextmanager
def elsewhere(folder: Path) -> Iterator[None]:
    """Keep the user's own folders, and what is logged of refusals, out of it."""
    before, place = dict(os.environ), Path.cwd()
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        os.environ[f"XDG_{name}_HOME"] = str(folder / "home")
    os.chdir(folder)
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)


def main() -> int:
    """Fuzz every parser and print what became of the inputs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=30_000, help="inputs in all")
    options.add_argument("--only", help="one parser, by its name")
    chosen = options.parse_args()
    print(f"{'parser':<14}{'cases':>8}{'refused':>10}{'accepted':>10}", end="")
    print(f"{'tracebacks':>12}{'hangs':>7}{'slowest':>12}")
    tallies = []
    with tempfile.TemporaryDirectory() as scratch, elsewhere(Path(scratch)):
        every = [p for p in parsers(Path(scratch)) if chosen.only in (None, p.name)]
        for parser in every:
            tallies.append(fuzz(parser, chosen.cases // len(every)))
            print(tallies[-1].line, flush=True)
    print(f"{sum(tally.cases for tally in tallies):,} cases in all")
    for tally in tallies:
        for kind, (content, told) in tally.worst.items():
            print(f"\n{tally.name}: {kind} with {content[:300]!r}\n{told}")
    return int(any(tally.worst for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
