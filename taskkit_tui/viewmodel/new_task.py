"""What a new task is made of: a class that the target offers, values for it, a name, and when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from taskkit import Parameter, Schedule
from taskkit_tui.formatting import harmless


@dataclass(frozen=True, slots=True)
class Offer:
    """A task class that a person can make tasks of. Plain data: the class stays where the scheduler is."""

    key: str
    """What identifies it among the offers."""
    title: str
    summary: str
    """The first line of its docstring."""
    parameters: tuple[Parameter, ...]
    """What its constructor takes."""
    prefilled: Mapping[str, str] = field(default_factory=dict)
    """What the form proposes, by the names of parameters; the defaults where there is nothing."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that is to be registered."""

    offer: str
    """The key of its offer."""
    values: Mapping[str, object]
    """For the constructor, as `parse_parameter` gives them."""
    name: str
    schedule: Schedule


def proposed_name(offer: Offer, values: Mapping[str, object]) -> str:
    """A name that tells tasks of one class apart, as in `PageGenerator for static1.html`."""
    texts = [
        value
        for parameter in offer.parameters
        if parameter.required and isinstance(value := values.get(parameter.name), str) and value.strip()
    ]
    return harmless(f"{offer.title} for {texts[0].strip()}" if texts else offer.title)
