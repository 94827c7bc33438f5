"""Names: in the old spelling anything that can be a key, for the modern scheduler a text to show."""

from __future__ import annotations

from unicodedata import category


def text_of(name: object) -> str:
    """What the modern scheduler calls it: itself if it is a good text, else its `repr` and its type.

    Raises:
        TypeError: It cannot be a key.
    """
    if isinstance(name, str) and name and _is_printable(name):
        return name
    try:
        hash(name)
    except TypeError:
        raise TypeError(f"name must be hashable, and {name!r} is not") from None
    told = f"{name!r} ({type(name).__name__})"
    return told if _is_printable(told) else told.encode("unicode_escape").decode("ascii")


def _is_printable(text: str) -> bool:
    return all(category(character) != "Cc" for character in text)
