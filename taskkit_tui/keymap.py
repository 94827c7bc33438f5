"""The keys of a person's own, from the file `keymap.toml`, which is not needed.

Nothing that it says takes a key away from anything else: a key that something has already, where both can be
pressed, is not given a second time, and that is told. Who wants it gives the other one another key as well.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from textual.binding import Binding, InvalidBinding

from taskkit_tui.settings import APP_NAME, read_regular


class Place(NamedTuple):
    """Where one is when one presses a key."""

    words: str
    """As in “In the log”."""
    keys: Mapping[str, frozenset[str]]
    """The keys of everything that can be pressed there, by the ids of bindings, as they are by default."""


class Clash(NamedTuple):
    """Two things that want one key at one place."""

    loser: str
    """The id of what does not get it."""
    key: str
    holder: str
    place: Place


def keymap_path() -> Path:
    """Where a person's own keys are looked for."""
    from platformdirs import user_config_path

    return user_config_path(APP_NAME) / "keymap.toml"


def key_names(keys: str) -> tuple[str, ...]:
    """The names of keys that stand in one text, as in `x,f5,?`.

    Raises:
        ValueError: If there is none, or nothing between two commas.
    """
    try:
        return tuple(binding.key for binding in Binding.make_bindings([Binding(keys, "")]))
    except InvalidBinding:
        raise ValueError(f"no keys: {keys!r}") from None


def read_keymap(path: Path, places: Sequence[Place]) -> tuple[dict[str, str], list[str]]:
    """A person's own keys.

    The file says `id = "key"` or `id = "key,other"`, either with the whole id in quotes, or in a table
    named by its first word: `[task]`, `run = "x"`.

    Args:
        path: The file; it need not exist.
        places: Where keys can be pressed, and which there are.

    Returns:
        Keys by id, and what is wrong with the file, one line each.
    """
    try:
        content = tomllib.loads(read_regular(path))
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError) as error:
        return {}, [f"{path.name}: {error}"]
    except RecursionError:
        return {}, [f"{path.name}: it is nested too deep"]
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
            f"{path.name}: {loser} does not get the key {key!r}, which is that of {holder} {place.words}"
        )
        own[loser] = tuple(each for each in own[loser] if each != key)
        if not own[loser]:
            del own[loser]
    return {identity: ",".join(keys) for identity, keys in own.items()}, problems


def _first_clash(own: Mapping[str, tuple[str, ...]], places: Sequence[Place]) -> Clash | None:
    """The first thing of a person's own that wants a key that something before it has."""
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
                        # What shares a key from the start may share another: the nearer one gets it.
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
