"""Names as a person sees and types them, with names that look the same kept apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from taskkit.words.plain_text import ELLIPSIS, harmless

# Characters without width or ink, besides those that `harmless` leaves out.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
)
_NONE: Final[frozenset[str]] = frozenset()
_SPACE: Final = re.compile(r"[^\S ]")


def look(name: str) -> str:
    """Return what a person sees of a name. Two names with the same result look the same.

    The result is composed (NFC), without characters that have no width, with ordinary spaces, and stripped.
    """
    if name.isascii():
        return name.strip(" ")
    seen = _SPACE.sub(" ", _UNSEEN.sub("", harmless(_SPACE.sub(" ", name))))
    return unicodedata.normalize("NFC", seen).strip(" ")


def spelled_out(name: str) -> str:
    r"""Return a name with its invisible characters as escapes: `cafe\u0301`, `backup\u200b`, `backup\x20`."""
    inner = name.strip(" ")
    head, tail = name[: len(name) - len(name.lstrip(" "))], name[len(name.rstrip(" ")) :]
    spelled = "".join(_escaped(each) if _is_unseen(each) else each for each in inner)
    if _likeness(spelled) != spelled or (not head + tail and spelled == look(name) != name):
        spelled = "".join(each if each.isascii() else _escaped(each) for each in inner)
    return harmless("".join((r"\x20" * len(head), spelled, r"\x20" * len(tail))))


class ShownNames:
    """A set of names, each shown as it is, or spelled out where another one looks much the same.

    This goes further than `look`: `Ⅳ` counts as `IV`. Of names that look the same, the plainest is shown as
    it is. Not thread-safe.

    Args:
        names: The first names.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_look: dict[str, set[str]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> frozenset[str]:
        """Add a name. Return the others that look the same; none if it was there already."""
        seen = _likeness(name)
        alike = self._by_look.get(seen)
        if alike is None:
            self._by_look[seen] = {name}
            return _NONE
        if name in alike:
            return _NONE
        others = frozenset(alike)
        alike.add(name)
        return others

    def discard(self, name: str) -> frozenset[str]:
        """Remove a name. Return the others that look the same."""
        seen = _likeness(name)
        alike = self._by_look.get(seen, set())
        alike.discard(name)
        if not alike:
            self._by_look.pop(seen, None)
        return frozenset(alike)

    def of(self, name: str) -> str:
        """Return a name as it is to be shown: one harmless line."""
        if name.isascii() and name.isprintable() and name == name.strip(" "):  # nearly always
            return name
        seen = _likeness(name)
        if name == seen or len(self._by_look.get(seen, ())) < 2:
            return harmless(name)
        return spelled_out(name)


def names_meant(typed: str, names: Iterable[str]) -> list[str]:
    """Return the names that a typed text may mean; the exact one alone, if there is one.

    Args:
        typed: A name as it was shown on a screen, perhaps shortened there with an ellipsis.
        names: The names to choose from.
    """
    known = list(dict.fromkeys(names))
    if typed in known:
        return [typed]
    shown = ShownNames(known)
    wanted = look(typed)
    for seen in (lambda name: look(shown.of(name)), look):
        if found := [name for name in known if seen(name) == wanted]:
            return found
    head, ellipsis, tail = wanted.partition(ELLIPSIS)
    if not ellipsis or not (head or tail):
        return []
    whole = {name: look(shown.of(name)) for name in known}
    return [
        name
        for name, seen in whole.items()
        if len(seen) > len(head + tail) and seen.startswith(head) and seen.endswith(tail)
    ]


def _likeness(name: str) -> str:
    """Return the same text for names that are easily mistaken for each other."""
    seen = look(name)
    return seen if seen.isascii() else unicodedata.normalize("NFKC", seen)


def _is_unseen(character: str) -> bool:
    if character == " " or character.isascii():
        return False
    return (
        _likeness(character) != character  # it takes no room, or has another form
        or unicodedata.category(character) in {"Mn", "Me", "Cf", "Zs"}
    )


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else character.encode("ascii", "backslashreplace").decode()
