"""No parser of strangers' input ends in a traceback or hangs: a short round of the harness."""

import time
from collections.abc import Iterator

import pytest

from benchmarks.reliability.fuzz import Parser, Tally, elsewhere, fuzz, parsers
from fashiontui.domain.errors import UsageError

NAMES = (
    [
        "budget",
        "shape",
        "recipe file",
        "recipe name",
        "search space",
        "sweep's plan",
        "config file",
        "keymap",
        "choice file",
    ]
    + [*("measurements", "command line", "IDX images", "IDX labels", "gz archive", "checkpoint")]
    + ["picture", "imported runs", "data folder"]
)
CASES = 80


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Parser]]:
    folder = tmp_path_factory.mktemp("fuzz")
    with elsewhere(folder):
        yield {parser.name: parser for parser in parsers(folder)}


def test_every_parser_of_the_harness_is_tried_here(every: dict[str, Parser]) -> None:
    assert list(every) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_takes_or_refuses_everything(
    name: str, every: dict[str, Parser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.reliability.fuzz.SECONDS", 20.0)  # machines of CI are busy
    tally = fuzz(every[name], CASES, derandomize=True)
    assert not tally.worst
    assert tally.cases >= CASES
    assert tally.refused
    assert tally.accepted


def fuzzed(parse: object) -> Tally:
    """A short round with a parser that is at fault."""
    return fuzz(Parser("made", parse, [b"valid"], [b"word"]), 10, derandomize=True)


def test_the_harness_reports_an_exception_that_is_no_refusal() -> None:
    def parse(content: bytes) -> None:
        if content != b"valid":
            raise KeyError(content)

    tally = fuzzed(parse)
    assert tally.tracebacks >= 5
    [kind] = tally.worst
    assert kind.startswith("KeyError in test_fuzz.py")


def test_the_harness_reports_a_refusal_without_a_sentence() -> None:
    def parse(content: bytes) -> None:
        if content != b"valid":
            raise UsageError("")

    assert fuzzed(parse).tracebacks


def test_the_harness_ends_a_parser_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.reliability.fuzz.SECONDS", 0.02)

    def parse(content: bytes) -> None:
        if content != b"valid":
            time.sleep(60)

    assert fuzzed(parse).hangs >= 5


def test_the_harness_notices_that_a_valid_input_is_refused() -> None:
    def parse(content: bytes) -> None:
        raise UsageError("No.")

    with pytest.raises(AssertionError, match="refuses a valid input"):
        fuzzed(parse)
