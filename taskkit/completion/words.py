"""A program that prints the words that fit at a place of a command line; completion scripts run it.

It imports nothing of taskkit, as a person waits for each answer. Nothing of a target is imported or run: the
names of tasks are read from a task file, asked of the process that runs the target, or read from its state.

    words.py bash TABLE WORDBREAKS LINE     the line up to the cursor
    words.py zsh|fish TABLE WORD…           the words up to the cursor; the last one is to be completed
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

ANSWER_SECONDS: Final = 0.3
"""Time limit for the answer of a running scheduler."""

_MOST_WORDS: Final = 1000
_MOST_BYTES: Final = 1024 * 1024
_SOCKET: Final = re.compile(r"(?P<name>.+)-(?P<pid>[0-9]{1,9})-(?P<hash>[0-9a-f]{8})\.sock", re.DOTALL)
_SPECIAL: Final = re.compile(r"([^\w@%+:,./=-])")
"""Characters that a shell would not take literally outside quotes."""


class TypedWord(NamedTuple):
    """The word at the cursor of a bash line."""

    text: str
    """Without quotes and backslashes."""
    quote: str
    """The quote that is open at the cursor; empty for none."""
    start: int
    """The number of characters of `text` that bash leaves as they are, because they are a word of their own
    to it."""


class ServedSocket(NamedTuple):
    """The socket of a served scheduler."""

    path: str
    name: str
    pid: str
    target_hash: str


def main(arguments: Sequence[str]) -> None:
    """Print the words, one a line, with a tab and a description where there is one."""
    shell, table, *rest = arguments
    if shell == "bash":
        breaks, line = rest
        words, typed = split_line(line, breaks)
        for word, _ in found_words(json.loads(table), [*words, typed.text]):
            if word.startswith(typed.text):
                print(bash_quoted(word, typed))
    else:
        for word, description in found_words(json.loads(table), rest):
            print(f"{word}\t{description}" if description else word)


class _LineBefore(NamedTuple):
    """The words before the one at the cursor, read by the table."""

    command: dict[str, Any]
    """The table of the subcommand; that of the whole command before there is one."""
    positionals: list[str]
    values: dict[str, str]
    """The values of the options that are given; empty for a flag."""
    option: str
    """The option whose value is at the cursor; empty for none."""
    only_positionals: bool
    """True after `--`."""


def _read_before(table: dict[str, Any], words: Sequence[str]) -> _LineBefore:
    command, positionals, values = table, list[str](), dict[str, str]()
    option = ""
    only_positionals = False
    for word in words:
        if option:
            values[option], option = word, ""
        elif word == "--" and not only_positionals:
            only_positionals = True
        elif word.startswith("-") and not only_positionals:
            name, equals, value = word.partition("=")
            if equals:
                values[name] = value
            elif command["options"].get(name, [None])[0] is not None:
                option = name
            else:
                values[name] = ""
        elif command is table and not positionals and word in table["commands"]:
            command = table["commands"][word]
        else:
            positionals.append(word)
    return _LineBefore(command, positionals, values, option, only_positionals)


def found_words(table: dict[str, Any], words: Sequence[str]) -> list[tuple[str, str]]:
    """Return the words that can stand in place of the last one, each with its description.

    Args:
        table: See `taskkit/completion/table.py`.
        words: The words of the line up to the cursor, the name of the command first.
    """
    *before, current = words[1:] or [""]
    command, positionals, values, option, only_positionals = _read_before(table, before)
    state = values.get("--state")
    if option:
        return _of_kind(command["options"][option][0], current, positionals, state)
    name, equals, value = current.partition("=")
    if equals and name in command["options"] and not only_positionals:
        kind = command["options"][name][0]
        return [(f"{name}={word}", text) for word, text in _of_kind(kind, value, positionals, state)]
    if current.startswith("-") and not only_positionals:
        return [(each, text) for each, (_, text) in command["options"].items() if each not in values]
    found: list[tuple[str, str]] = []
    if command is table and not positionals:
        found += [(each, subcommand["help"]) for each, subcommand in table["commands"].items()]
    place = _place_of(command["places"], len(positionals))
    if place == "target" and state is not None and command["places"][1:2] == ["task"]:
        found += _of_kind("task", current, positionals, state)  # with --state, the target may be left out
    return found + _of_kind(place, current, positionals, state)


def _place_of(places: Sequence[Any], position: int) -> Any:
    """Return the kind of the argument at that position; empty if the command takes no more."""
    if position < len(places):
        return places[position]
    if places and isinstance(places[-1], str) and places[-1].endswith("*"):
        return places[-1]
    return ""


def _of_kind(kind: Any, current: str, positionals: Sequence[str], state: str | None) -> list[tuple[str, str]]:
    """Return the words for an argument or the value of an option."""
    if isinstance(kind, list):
        return [(str(each), "") for each in kind]
    if kind in ("file", "task file"):
        return [(path, "") for path in paths(current, ".toml" if kind == "task file" else "")]
    if kind in ("target", "service"):
        services = {each.name: f"process {each.pid}" for each in found_services()}
        return [*_printable(services.items()), *((path, "") for path in paths(current, ".toml"))]
    if kind in ("task", "task*"):
        names = task_names(positionals[0] if positionals else "", state)
        return _printable((name, "") for name in names if name not in positionals[1:])
    return []


def _printable(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the first ones without those that no line can hold."""
    fitting = [(word, text) for word, text in found if word and word.isprintable()]
    return fitting[:_MOST_WORDS]


def paths(typed: str, ending: str = "") -> list[str]:
    """Return the folders, with a slash behind, and the files with that ending, that a path may lead to."""
    folder, _, start = typed.rpartition("/")
    folder += "/" if "/" in typed else ""
    found = []
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            for entry in entries:
                hidden = entry.name.startswith(".") and not start.startswith(".")
                if not entry.name.startswith(start) or hidden or not entry.name.isprintable():
                    continue
                if entry.is_dir():
                    found.append(f"{folder}{entry.name}/")
                elif entry.name.endswith(ending):
                    found.append(folder + entry.name)
    except (OSError, ValueError):
        return []
    return sorted(found)[:_MOST_WORDS]


# Names of tasks


def task_names(target: str, state: str | None) -> list[str]:
    """Return the names of the tasks of a target, or of those in a state; empty if they are not known."""
    names: dict[str, None] = {}
    if target.endswith(".toml"):
        names |= dict.fromkeys(_names_in_file(target))
    if state is not None:
        return [*names | dict.fromkeys(_names_in_state(os.path.expanduser(state)))]
    asked = [name for each in _services_meant(target) for name in _names_in_service(each.path)]
    if asked:
        return list(dict.fromkeys(asked))
    if target.endswith(".toml") or ":" in target:
        names |= dict.fromkeys(_names_in_state(state_path(target)))
    return list(names)


def _names_in_file(path: str) -> list[str]:
    import tomllib

    try:
        with open(os.path.expanduser(path), "rb") as file:
            tasks = tomllib.loads(file.read(_MOST_BYTES).decode()).get("tasks", {})
        return list(tasks)
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _names_in_state(path: str) -> list[str]:
    import sqlite3
    from contextlib import closing
    from urllib.parse import quote

    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=0.1)) as connection:
            rows = connection.execute("SELECT name FROM registrations ORDER BY rowid").fetchall()
        return [name for (name,) in rows if isinstance(name, str)]
    except sqlite3.Error:
        return []


def _services_meant(text: str) -> list[ServedSocket]:
    found = found_services()
    named = [each for each in found if text in (each.name, each.pid, each.path)]
    if named or not (text.endswith(".toml") or ":" in text):
        return named
    return [each for each in found if each.target_hash == target_hash(text)]


def _names_in_service(path: str) -> list[str]:
    import socket
    from time import monotonic

    deadline = monotonic() + ANSWER_SECONDS
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(path)
            connection.sendall(b'{"hello":1,"program":"completion"}\n{"id":1,"do":"names"}\n')
            data = b""
            while (left := deadline - monotonic()) > 0:
                connection.settimeout(left)
                piece = connection.recv(65_536)
                *lines, data = (data + piece).split(b"\n")
                for line in lines:
                    answer = json.loads(line)
                    if answer.get("id") == 1:
                        return [name for name in answer["ok"]["names"] if isinstance(name, str)]
                if not piece:
                    break
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass
    return []


# Where things are; tests hold these to `remote/sockets.py` and `targets/state_paths.py`


def found_services() -> list[ServedSocket]:
    """Return the sockets of this user, as far as their folders are safe; stale ones included."""
    own = os.getuid()
    places = [
        os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0],
        os.environ.get("XDG_RUNTIME_DIR", ""),
    ]
    folders = [f"{place}/taskkit" for place in (*places, f"/run/user/{own}") if place.startswith("/")]
    temporary = os.environ.get("TMPDIR", "/tmp") if sys.platform == "darwin" else "/tmp"
    found = {}
    for folder in dict.fromkeys([*folders, f"{temporary.rstrip('/')}/taskkit-{own}"]):
        try:
            there = os.lstat(folder)
            if there.st_uid != own or there.st_mode & 0o077:
                continue
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            if match := _SOCKET.fullmatch(name):
                found[f"{folder}/{name}"] = match
    return [
        ServedSocket(path, each["name"], each["pid"], each["hash"]) for path, each in sorted(found.items())
    ]


def target_hash(target: str) -> str:
    """Return the eight digits that stand for a target in the name of its socket."""
    import hashlib

    if not target.endswith(".toml"):
        return hashlib.sha256("\0".join((target, _absolute("."), _prefix())).encode()).hexdigest()[:8]
    return hashlib.sha256(os.fsencode(_absolute(target))).hexdigest()[:8]


def _prefix() -> str:
    """Return the folder of this Python's environment, which `-S` leaves unknown to it."""
    folder = os.path.dirname(os.path.dirname(sys.executable))
    return folder if os.path.exists(f"{folder}/pyvenv.cfg") else sys.prefix


def state_path(target: str) -> str:
    """Return the default path for the state of a target; empty if there is no home folder."""
    import hashlib

    if target.endswith(".toml"):
        meant = _absolute(target)
        folder, file = os.path.split(meant)
        name = f"{os.path.basename(folder)}-{file.removesuffix('.toml')}"
    else:
        meant, name = f"{_absolute('.')}\n{target}", target
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "tasks"
    digest = hashlib.sha256(os.fsencode(meant)).hexdigest()[:12]
    place = os.environ.get("XDG_STATE_HOME", "")
    if not place.startswith("/"):
        own = "~/Library/Application Support" if sys.platform == "darwin" else "~/.local/state"
        place = os.path.expanduser(own)
    return f"{place}/taskkit/{readable}-{digest}.sqlite"


def _absolute(path: str) -> str:
    """Return a path in the current folder, which counts by the name that the shell shows."""
    folder = os.getcwd()
    shown = os.environ.get("PWD", "")
    try:
        if shown.startswith("/") and ".." not in shown.split("/") and os.path.samefile(folder, shown):
            folder = shown
    except OSError:
        pass
    parts: list[str] = []
    for part in os.path.join(folder, os.path.expanduser(path)).split("/"):
        if part == "..":
            parts = os.path.realpath("/" + "/".join(parts)).split("/")[1:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


# The line of bash


def split_line(line: str, breaks: str) -> tuple[list[str], TypedWord]:
    """Return the whole words of a line up to the cursor, and the word at the cursor.

    Args:
        line: The line, as it was typed.
        breaks: The characters at which bash begins a new word to complete (`COMP_WORDBREAKS`).
    """
    words: list[str] = []
    text, quote, start = "", "", 0
    is_open = False
    characters: Iterator[str] = iter(line)
    for character in characters:
        if quote:
            if character == quote:
                quote = ""
            elif character == "\\" and quote == '"':
                following = next(characters, "")
                text += following if following in '"\\$`' else character + following
            else:
                text += character
        elif character in " \t\n":
            if is_open:
                words.append(text)
            text, start, is_open = "", 0, False
            continue
        elif character in "'\"":
            quote = character
            start = len(text)
        elif character == "\\":
            text += next(characters, "")
        else:
            text += character
            if character in breaks:
                start = len(text)
        is_open = True
    return words, TypedWord(text, quote, start)


def bash_quoted(word: str, typed: TypedWord) -> str:
    """Return what bash inserts in place of the word that it sees at the cursor, with its quotes."""
    rest = word[typed.start :]
    if typed.quote == "'":
        return rest.replace("'", "'\\''")
    if typed.quote == '"':
        return re.sub(r'(["\\$`])', r"\\\1", rest)
    if rest.startswith("~/") and typed.text.startswith("~/"):
        return "~" + _SPECIAL.sub(r"\\\1", rest[1:])
    return _SPECIAL.sub(r"\\\1", rest)


if __name__ == "__main__":
    main(sys.argv[1:])
