"""Reads a person's own keys from `keymap.toml`, if there is one.

A key that another command has at the same place is not given a second time: the other one keeps it, and the
file gets a warning. To have that key, give the other command another one in the file too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from textual.binding import Binding, InvalidBinding

from taskkit_tui.settings import APP_NAME, read_regular


class KeyContext(NamedTuple):
    """A place where keys are pressed, and the commands that have a key there."""

    words: str
    """The place, as in `in the log`."""
    keys: Mapping[str, frozenset[str]]
    """The default keys of the commands, by their ids."""


class Clash(NamedTuple):
    """Two commands that want one key at one place."""

    loser: str
    """The id of the command that does not get it."""
    key: str
    holder: str
    place: KeyContext


def keymap_path() -> Path:
    """Return the path of a person's own keymap."""
    from platformdirs import user_config_path

    return user_config_path(APP_NAME) / "keymap.toml"


def key_names(keys: str) -> tuple[str, ...]:
    """Return the names of the keys in a text like `x,f5,?`.

    Raises:
        ValueError: There is none, or nothing between two commas.
    """
    try:
        return tuple(binding.key for binding in Binding.make_bindings([Binding(keys, "")]))
    except InvalidBinding:
        raise ValueError(f"no keys: {keys!r}") from None


def read_keymap(path: Path, places: Sequence[KeyContext]) -> tuple[dict[str, str], list[str]]:
    """Read a person's own keys.

    The file says `id = "key"` or `id = "key,other"`, either with the whole id in quotes, or in a table
    named by its first word: `[task]`, `run = "x"`.

    Args:
        path: The file; it need not exist.
        places: The places where keys can be pressed.

    Returns:
        Keys by ids, and the errors of the file, one line each.
    """
    try:
        text = read_regular(path)
        from tomllib import loads  # few people have such a file

        content = loads(text)
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError) as error:
        return {}, [f"{path.name}: {error}"]
    except RecursionError:
        return {}, [f"{path.name}: it is nested too deeply"]
    own: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for identity, value in _flat(content):
        if not any(identity in place.keys for place in places):
            problems.append(f"{path.name}: there is no action {identity!r}")
            continue
        try:
            if not isinstance(value, str):
                raise ValueError(value)
            own[identity] = key_names(value)
        except ValueError:
            problems.append(f"{path.name}: {identity} needs a key in quotes, not {value!r}")
    while (clash := _first_clash(own, places)) is not None:
        loser, key, holder, place = clash
        problems.append(
            f"{path.name}: {loser} does not get the key {key!r}, which belongs to {holder} {place.words}"
        )
        own[loser] = tuple(each for each in own[loser] if each != key)
        if not own[loser]:
            del own[loser]
    return {identity: ",".join(keys) for identity, keys in own.items()}, problems


def _first_clash(own: Mapping[str, tuple[str, ...]], places: Sequence[KeyContext]) -> Clash | None:
    """Return the first of a person's own keys that another command has already."""
    for place in places:
        holders: dict[str, list[str]] = {}
        for identity, keys in place.keys.items():
            if identity not in own:
                for key in keys:
                    holders.setdefault(key, []).append(identity)
        for identity in own:
            if identity in place.keys:
                for key in own[identity]:
                    for holder in holders.setdefault(key, []):
                        # Commands that share a key by default may share another: the nearer one gets it.
                        if not place.keys[holder] & place.keys[identity]:
                            return Clash(identity, key, holder, place)
                    holders[key].append(identity)
    return None


def _flat(content: Mapping[str, object]) -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat += [(f"{name}.{inner}", each) for inner, each in value.items()]
        else:
            flat.append((name, value))
    return flat
