"""Requests about very many tasks, split so that each part fits into one message, and their answers joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

from taskkit.remote.protocol import MOST_BYTES_TO_SERVER, json_text

_ROOM_BYTES: Final = MOST_BYTES_TO_SERVER - 1024
"""The room for the arguments of a request, beside its name, its id and its deadline."""

T = TypeVar("T")


def parts_of(arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the arguments of a request in as many parts as need a message each; usually it is one.

    `names` and `periods` are split, and a `token` that joins several.
    """
    names, periods, token = arguments.get("names"), arguments.get("periods"), arguments.get("token")
    if isinstance(token, str) and " " in token:
        return [{**arguments, "token": each} for each in reversed(token.split())]
    if isinstance(names, list) and len(names) > 1:
        room = _room(arguments, "names")
        return [{**arguments, "names": part} for part in _chunks(names, room)]
    if isinstance(periods, dict) and len(periods) > 1:
        room = _room(arguments, "periods")
        return [{**arguments, "periods": dict(part)} for part in _chunks(periods.items(), room)]
    return [dict(arguments)]


def joined(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the answers to the parts of a request as one: all names, and a token that undoes all."""
    if len(answers) == 1:
        return answers[0]
    tokens = [each["token"] for each in answers if each.get("token")]
    names = list(chain.from_iterable(each.get("names") or () for each in answers))
    return {**answers[-1], "names": names, "token": " ".join(tokens) or None}


def _room(arguments: Mapping[str, Any], but: str) -> int:
    """Return the bytes that are left beside the other arguments."""
    return _ROOM_BYTES - len(json_text({key: value for key, value in arguments.items() if key != but}))


def _chunks(items: Iterable[T], room: int) -> Iterator[list[T]]:
    """Yield lists of items that fit into `room` bytes each; one that is larger is alone."""
    part: list[T] = []
    left = room
    for item in items:
        size = len(json_text(item)) + 1
        if part and size > left:
            yield part
            part, left = [], room
        part.append(item)
        left -= size
    if part:
        yield part
