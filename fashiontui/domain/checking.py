"""What strangers wrote, made into structs of ours, or refused in one sentence."""

from collections.abc import Container, Iterable, Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from fashiontui.domain.errors import UsageError
from fashiontui.domain.text import brief, printable

Made = TypeVar("Made", bound=msgspec.Struct)


def checked(
    given: dict[str, Any], kind: type[Made], where: str, strict: bool = True, **own: object
) -> Made:
    """A struct from what was read.

    Args:
        given: Its fields, as TOML or JSON has them.
        kind: The struct.
        where: Where the fields were read, for the sentence that refuses them: ``In the file x``.
        strict: Whether a text that says a number is none.
        own: Fields that are not read but set.

    Raises:
        UsageError: a key is unknown or missing, or a value cannot be used.
    """
    if taken := own.keys() & given.keys():
        raise UsageError(f"{where}: {unknown(min(taken), _known(kind, own))}")
    try:
        return msgspec.convert({**given, **own}, kind, strict=strict)
    except msgspec.ValidationError as error:
        said = _complaint({**given, **own}, kind, strict, "", own)
        raise UsageError(f"{where}: {said}") from error


def must_be_shown(what: str, *texts: object) -> None:
    """Refuse texts that go to the screen as they are and would not look so.

    Raises:
        ValueError: one of them has a character that cannot be shown.
    """
    for text in texts:
        if isinstance(text, str) and printable(text) != text:
            raise ValueError(f"{what} has characters that cannot be shown, in {brief(text)}")


def unknown(key: str, known: Iterable[str], at: str = "") -> str:
    """The sentence that refuses a key, with what it may have been meant to be.

    Args:
        key: The key.
        known: Keys that there are.
        at: The table it is in.
    """
    near = get_close_matches(key, known := [*known], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}."
    return f"unknown key {brief(_inside(at, key))}; {hint}"


def _known(struct: Any, own: Container[str]) -> list[str]:
    return [name for name in struct.__struct_fields__ if name not in own]


def _complaint(given: Any, kind: Any, strict: bool, at: str, own: Container[str] = ()) -> str:
    """What is wrong, down to the first part that is refused by itself."""
    for place, part, of in _parts(given, kind, at):
        if _refusal(part, of, strict):
            return _complaint(part, of, strict, place)
    refusal = _refusal(given, kind, strict)
    if refusal and isinstance(refusal.__cause__, ValueError):
        return f"{at}: {refusal.__cause__}." if at else f"{refusal.__cause__}."
    if isinstance(given, dict):
        for struct in filter(_is_struct, _kinds(kind)):
            fields = msgspec.structs.fields(struct)
            names = [field.name for field in fields]
            if strangers := [key for key in given if key not in names]:
                return unknown(strangers[0], _known(struct, own), at)
            for field in fields:
                if field.required and field.name not in given:
                    return f"{_inside(at, field.name)} is missing."
    if given == [] and any(get_origin(one) in (list, tuple) for one in _kinds(kind)):
        return f"{at} is empty; give it at least one value."
    return f"{at} should be {_expected(inspect.type_info(kind))}, not {brief(given)}."


def _refusal(given: Any, kind: Any, strict: bool) -> msgspec.ValidationError | None:
    try:
        msgspec.convert(given, kind, strict=strict)
    except msgspec.ValidationError as error:
        return error
    return None


def _parts(given: Any, kind: Any, at: str) -> Iterator[tuple[str, Any, Any]]:
    """Where each part of a table or list stands, what it is and what type it should have."""
    for one in _kinds(kind):
        if isinstance(given, dict) and _is_struct(one):
            for field in msgspec.structs.fields(one):
                if field.name in given:
                    yield _inside(at, field.name), given[field.name], field.type
        elif isinstance(given, dict) and get_origin(one) is dict:
            for key, value in given.items():
                yield _inside(at, printable(key)), value, get_args(one)[1]
        elif isinstance(given, list) and get_origin(one) in (list, tuple):
            for number, value in enumerate(given, start=1):
                of = get_args(one)[0]
                yield f"{at} {number}" if _is_struct(of) else f"each of {at}", value, of


def _kinds(kind: Any) -> Iterator[Any]:
    """The types that a union is made of, without what is annotated."""
    if get_origin(kind) is Annotated:
        yield from _kinds(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _kinds(one)
    else:
        yield kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _inside(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _expected(kind: inspect.Type) -> str:
    """A type in words, with its bounds."""
    match kind:
        case inspect.Metadata(type=of, extra_json_schema={"examples": examples}):
            return f"{_expected(of)} like {_either(map(repr, examples))}"
        case inspect.Metadata(type=of):
            return _expected(of)
        case inspect.UnionType(types=types):
            numbers = inspect.FloatType() in types  # of which whole ones are some
            some = (one for one in types if not (numbers and one == inspect.IntType()))
            return _either(_expected(one) for one in some if not isinstance(one, inspect.NoneType))
        case inspect.LiteralType(values=values):
            return _either(map(repr, values))
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            what = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            if kind.ge is not None and kind.le is not None:
                return f"{what} from {kind.ge:,} to {kind.le:,}"
            bounds = {
                "of at least": kind.ge,
                "above": kind.gt,
                "at most": kind.le,
                "below": kind.lt,
            }
            said = [f"{word} {bound:,}" for word, bound in bounds.items() if bound is not None]
            return " ".join([what, " and ".join(said)]).rstrip()
        case inspect.StrType():
            return "a text"
        case inspect.ListType(max_length=most) | inspect.VarTupleType(max_length=most):
            return f"a list of {most:,} values at most" if most else "a list"
    return "a table"


def _either(words: Any) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
