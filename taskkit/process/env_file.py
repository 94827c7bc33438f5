r"""Reads files of environment variables, `.env`, by the rules of python-dotenv.

A line is `NAME=value`, `export NAME=value`, or a comment after `#`. A value in double quotes may have several
lines, and escapes such as `\n`; one in single quotes is taken literally. `${NAME}` and `${NAME:-default}`
stand for variables that are set before, and for nothing if there is none.

It differs from python-dotenv in two points: nothing is expanded in single quotes, as in a shell; and a line
that makes no sense is an error, where python-dotenv skips it.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections import ChainMap
from collections.abc import Mapping
from typing import Final

MAX_BYTES: Final = 64 * 1024
"""The largest file that is read."""

MAX_EXPANDED: Final = 1024 * 1024
"""Characters of all values together: values that refer to each other may double with each line."""

_BLANK: Final = re.compile(r"(?:\s*(?:#[^\r\n]*)?(?:\r\n|\n|\r))*[^\S\r\n]*(?:#[^\r\n]*)?\s*(?=\S|$)")
_LINE: Final = re.compile(
    r"""
    (?:export[^\S\r\n]+)?
    (?: '(?P<quoted>[^'\r\n]+)' | (?P<name>[^=\#\s'"]+) )
    [^\S\r\n]*
    (?P<assigned> = (?P<gap>[^\S\r\n]*)(?![^\S\r\n])
      (?: '(?P<single>(?:\\.|[^'\\])*)' | "(?P<double>(?:\\.|[^"\\])*)" | (?P<plain>(?!['"])[^\r\n]*) )
    )?
    [^\S\r\n]*(?:\#[^\r\n]*)?(?:\r\n|\n|\r|$)
    """,
    re.VERBOSE | re.DOTALL,
)
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_COMMENT: Final = re.compile(r"(?<!\s)\s+#.*")  # tried once for each stretch of spaces, not for each space
_ESCAPE: Final = re.compile(r"\\[\\'\"abfnrtv]")
_ESCAPED_QUOTE: Final = re.compile(r"\\([\\'])")


def read_env_file(path: str, environment: Mapping[str, str], shown: str | None = None) -> dict[str, str]:
    """Return the variables of a file.

    Args:
        path: A regular file in UTF-8, of at most 64 KiB.
        shown: The name of the file in errors, where its path may have secrets in it.
        environment: The variables that its values may refer to, besides those of the file itself.

    Raises:
        OSError: It cannot be read.
        ValueError: Something in it is wrong. The message has the number of the line, and never its text,
            which may be a secret.
    """
    shown = path if shown is None else shown
    text = _text(path, shown)
    variables: dict[str, str] = {}
    known = ChainMap(variables, environment)  # type: ignore[arg-type]  # only the first is written to
    at, size, counted, number = _BLANK.match(text).end(), 0, 0, 1  # type: ignore[union-attr]
    while at < len(text):
        number, counted = number + len(_LINE_END.findall(text, counted, at)), at
        place = f"{shown}:{number}"
        line = _LINE.match(text, at)
        if line is None:
            raise ValueError(f"{place} must be NAME=value, a comment or empty")
        name = line["quoted"] or line["name"]
        if line["assigned"] is not None:
            value = _value(line, known)
            size += len(value)
            if size > MAX_EXPANDED:
                raise ValueError(f"{place} makes the values longer than {MAX_EXPANDED:,} characters in total")
            if "\0" in name or "\0" in value or "=" in name:
                raise ValueError(f"{place} must not have a NUL, or = in a name")
            variables[name] = value
        at = line.end()
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
    return variables


def _value(line: re.Match[str], known: Mapping[str, str]) -> str:
    if line["single"] is not None:
        return _ESCAPED_QUOTE.sub(r"\1", line["single"])
    if line["double"] is not None:
        text = _ESCAPE.sub(lambda found: codecs.decode(found[0], "unicode-escape"), line["double"])
    else:
        text = _COMMENT.sub("", line["gap"] + line["plain"]).strip()
    return _expanded(text, known)


def _expanded(text: str, known: Mapping[str, str]) -> str:
    """Replace references in a text by values, in time proportional to its length."""
    parts: list[str] = []
    at = 0
    while (start := text.find("${", at)) >= 0 and (end := text.find("}", start)) >= 0:
        colon = text.find(":", start, end)
        if colon >= 0 and text[colon + 1] != "-":  # no reference, and no other one begins before the colon
            parts.append(text[at : colon + 1])
            at = colon + 1
            continue
        name = text[start + 2 : end if colon < 0 else colon]
        default = "" if colon < 0 else text[colon + 2 : end]
        parts += (text[at:start], known.get(name) or default)
        at = end + 1
    return "".join((*parts, text[at:]))


def _text(path: str, shown: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # as a pipe could block
    except OSError as error:
        raise type(error)(error.errno, error.strerror, shown) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{shown} must be a regular file")
        data = os.read(descriptor, MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{shown} is larger than {MAX_BYTES // 1024} KiB, the limit for a file of variables")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{shown} is not UTF-8") from None
