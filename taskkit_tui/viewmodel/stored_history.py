"""What is stored of a task's past, as far as it was asked for, joined to what the scheduler still knows.

Nothing here waits: it says what is to be asked next, and takes the answers whenever they come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeGuard

from taskkit import Outcome, OutcomeKind, Skip, SkipReason
from taskkit_tui.viewmodel.history_rows import Entry, Key, Restart, key_of, when_of
from taskkit_tui.viewmodel.searching import kinds_named

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip

PAGE: Final = 100
"""How many runs and skips are asked for at once."""


class LookBack(Protocol):
    """Asks for what is stored of one task; see `Backend.earlier`. Any thread, and it may take long."""

    def __call__(
        self,
        *,
        limit: int,
        before: int | None,
        search: str = "",
        kinds: Collection[OutcomeKind | SkipReason] = (),
        go_on: Callable[[], bool],
    ) -> Sequence[StoredRun | StoredSkip]:
        """The newest first."""


class Question(NamedTuple):
    """What is to be asked."""

    search: str = ""
    """A text to find; empty for everything."""
    before: int | None = None
    """Only what came before the one with this id; `None` for the newest."""


class StoredEntry(NamedTuple):
    """A run or a skip that is stored."""

    id: int
    session: int
    """Which life of the store it belongs to."""
    entry: Outcome | Skip


def answer(question: Question, look_back: LookBack, go_on: Callable[[], bool]) -> tuple[StoredEntry, ...]:
    """Ask, and wait for the answer. Any thread.

    A text is looked for in exceptions, results and output; and where it is a part of the words for some way
    to end or to be skipped, those count as found.

    Args:
        question: What to ask.
        look_back: Whom.
        go_on: Whether anybody still wants to know.
    """
    search, before = question
    found = {told.id: told for told in look_back(limit=PAGE, before=before, search=search, go_on=go_on)}
    if search and go_on() and (kinds := kinds_named(search)):
        found |= {told.id: told for told in look_back(limit=PAGE, before=before, kinds=kinds, go_on=go_on)}
    newest = sorted(found, reverse=True)[:PAGE]
    return tuple(_entry(found[number]) for number in newest)


def _entry(told: StoredRun | StoredSkip) -> StoredEntry:
    from taskkit.store import StoredRun  # whoever has such a thing has loaded it

    return StoredEntry(told.id, told.session, told.outcome if isinstance(told, StoredRun) else told.skip)


class _Pages:
    """The answers to one search, one page after the other."""

    def __init__(self) -> None:
        self.rows: tuple[StoredEntry, ...] = ()
        """The newest first."""
        self.complete = False
        """Whether there is nothing before them."""
        self.asked = False
        """Whether anything was answered."""

    def take(self, before: int | None, page: tuple[StoredEntry, ...]) -> None:
        """Put a page where it belongs."""
        is_last = len(page) < PAGE
        if before is not None:
            self.rows += page
            self.complete = is_last
        elif page or not self.asked:  # an empty page after others would be no news, but a failure
            # Pages that the new one does not reach are asked for again: between them something is missing.
            reaches = bool(self.rows) and self.rows[0].id >= page[-1].id
            older = tuple(row for row in self.rows if row.id < page[-1].id) if reaches else ()
            self.rows = page + older
            self.complete = is_last or (reaches and self.complete)
        self.asked = True

    def next(self, *, further: bool) -> tuple[int | None] | None:
        """What the next page comes before; `None` if none is needed."""
        if not self.asked:
            return (None,)
        return (self.rows[-1].id,) if further and not self.complete else None


class Earlier:
    """What is known of a task's past beyond what the scheduler remembers.

    Args:
        asked: Whether anybody asks; otherwise nothing is stored, as far as is known here.
    """

    def __init__(self, *, asked: bool = False) -> None:
        self._is_asked = asked
        self._all = _Pages()
        self._found = _Pages()
        self._search = ""
        self._unseen: Key | None = None
        self._asked_for: Key | None = None
        self._waited = 0  # at how many calls of `notice` that was not among the answers
        self._refresh = False

    @property
    def rows(self) -> tuple[StoredEntry, ...]:
        """What was answered of everything, newest first; another object if it is another answer."""
        return self._all.rows

    @property
    def found(self) -> tuple[StoredEntry, ...]:
        """What was answered to the search, newest first; another object if it is another answer."""
        return self._found.rows if self._search else ()

    @property
    def complete(self) -> bool:
        """Whether there is nothing before what was answered."""
        return self._all.complete or not self._all.asked

    @property
    def is_answered(self) -> bool:
        """Whether what is stored last is known here, or nothing is."""
        return self._all.asked or not self._is_asked

    @property
    def found_all(self) -> bool:
        """Whether there is nothing more to be found."""
        return not self._search or self._found.complete

    @property
    def searching(self) -> str:
        """The text that is looked for in all that is stored; empty for none."""
        return self._search

    def may_hold_more(self, entry: Entry | None) -> bool:
        """Whether more may be stored of an entry than it tells: of a run before a restart, what it left."""
        if not _is_bare(entry):
            return False
        if not self.is_answered:
            return True
        return bool(self.rows) and key_of(entry) not in {key_of(row.entry) for row in self.rows}

    def look_for(self, typed: str) -> None:
        """Look for what was typed, as it stands; what is inverted is looked for only in what is there."""
        wanted = "" if typed.startswith("!") else typed.strip()
        if wanted != self._search:
            self._search = wanted
            self._found = _Pages()

    def notice(self, remembered: Sequence[Entry]) -> None:
        """Take in what the scheduler remembers, newest first.

        What it remembers and is not among the answers is to be asked for, but only at the next call: until
        then the store may not have it either. While it has not, because its disk is slow, it is asked for
        again, at the second call after that, the fourth, the eighth and so on.
        """
        known = {key_of(row.entry) for row in self.rows[:PAGE]}
        unseen = next(
            (
                key
                for entry in remembered
                if isinstance(entry, Outcome) and (key := key_of(entry)) not in known
            ),
            None,
        )
        if self._unseen is not None and unseen is not None:
            self._waited = self._waited + 1 if self._unseen == self._asked_for else 1
            self._asked_for = self._unseen
            is_power_of_two = not self._waited & (self._waited - 1)
            self._refresh = self._refresh or (is_power_of_two and self._all.asked)
        self._unseen = unseen

    def question(self, *, further: bool) -> Question | None:
        """What is to be asked next; `None` for nothing.

        Args:
            further: Whether one has come near the end of what is shown.
        """
        if self._search and (before := self._found.next(further=further)):
            return Question(self._search, *before)
        if self._refresh:
            return Question()
        before = self._all.next(further=further and not self._search)
        return Question("", *before) if before else None

    def take(self, question: Question, page: tuple[StoredEntry, ...]) -> None:
        """Take an answer; one to a search that is over is dropped."""
        if not question.search:
            self._refresh = self._refresh and question.before is not None
            self._all.take(question.before, page)
        elif question.search == self._search:
            self._found.take(question.before, page)


def joined(remembered: Sequence[Entry], rows: Sequence[StoredEntry]) -> tuple[Entry, ...]:
    """A task's past without a gap, newest first: what the scheduler remembers, and before it what is stored.

    Between two lives of the store stands a `Restart`. Where the scheduler remembers of a run before a restart
    only how it ended, what is stored of it is told.
    """
    if not rows:
        return tuple(remembered)
    stored = {key_of(row.entry): row for row in rows}
    keys = {key_of(entry) for entry in remembered}
    skips = [entry for entry in remembered if isinstance(entry, Skip)]

    def is_remembered(row: StoredEntry) -> bool:
        entry = row.entry
        return key_of(entry) in keys or (
            isinstance(entry, Skip) and any(_holds(skip, entry) for skip in skips)
        )

    # What is stored and newer than all that is remembered will be remembered at the next look.
    first = next((index for index, row in enumerate(rows) if is_remembered(row)), 0)
    told: list[tuple[Entry, int | None]] = []
    for entry in remembered:
        row = stored.get(key_of(entry))
        fullest = row.entry if row is not None and _is_bare(entry) else entry
        told.append((fullest, None if row is None else row.session))
    told += [(row.entry, row.session) for row in rows[first:] if not is_remembered(row)]
    return tuple(_with_restarts(told))


def _is_bare(entry: Entry | None) -> TypeGuard[Outcome]:
    """Whether an entry is a run that left nothing to read, as far as it tells."""
    return isinstance(entry, Outcome) and not entry.output and not entry.traceback


def _holds(skip: Skip, other: Skip) -> bool:
    return (
        skip.reason is other.reason and skip.first_due <= other.first_due <= other.last_due <= skip.last_due
    )


def _with_restarts(told: Iterable[tuple[Entry, int | None]]) -> Iterable[Entry]:
    newer: tuple[Entry, int] | None = None
    for entry, session in told:
        if session is not None:
            if newer is not None and session < newer[1]:
                yield Restart(newer[1], newer[1] - session, when_of(entry), when_of(newer[0]))
            newer = entry, session
        yield entry
