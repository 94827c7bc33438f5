"""The data of a new task: an offered class, its values, a name, and a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from unicodedata import category

from taskkit.operations import Offer
from taskkit_tui.formatting import harmless
from taskkit_tui.viewmodel.forms.schedule_preview import TypedSchedule


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to register."""

    offer: str
    """The key of its offer."""
    texts: Mapping[str, str]
    """The typed texts for the parameters of its constructor, by their names."""
    name: str
    schedule: TypedSchedule


def is_name(text: str) -> bool:
    """True if a task can have this name: any text without control characters."""
    return bool(text) and all(category(character) != "Cc" for character in text)


def proposed_name(offer: Offer, values: Mapping[str, object]) -> str:
    """Return a name that distinguishes tasks of one class: `PageGenerator for static1.html`."""
    texts = [
        value
        for parameter in offer.parameters
        if parameter.required and isinstance(value := values.get(parameter.name), str) and value.strip()
    ]
    return harmless(f"{offer.title} for {texts[0].strip()}" if texts else offer.title)
