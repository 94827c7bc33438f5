"""Pages through a task's stored history, and joins it to the runs that the scheduler remembers.

Nothing here blocks: it says which page to request next, and takes the pages whenever they come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeGuard

from taskkit import Outcome, OutcomeKind, Skip, SkipReason
from taskkit_tui.viewmodel.details.history_rows import EntryKey, HistoryEntry, Restart, key_of, when_of
from taskkit_tui.viewmodel.details.history_search import kinds_named

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip

PAGE: Final = 100
"""The number of runs and skips per page."""


class HistoryQuery(Protocol):
    """Reads the stored history of one task; see `Backend.earlier`. Any thread; it may take long."""

    def __call__(
        self,
        *,
        limit: int,
        before: int | None,
        search: str = "",
        kinds: Collection[OutcomeKind | SkipReason] = (),
        should_continue: Callable[[], bool],
    ) -> Sequence[StoredRun | StoredSkip]:
        """Return the rows, newest first."""


class PageRequest(NamedTuple):
    """The page to fetch next."""

    search: str = ""
    """The text to search for; empty for all rows."""
    before: int | None = None
    """Only rows before the one with this id; `None` for the newest page."""


class StoredEntry(NamedTuple):
    """A stored run or skip."""

    id: int
    session: int
    """The session of the store that it belongs to."""
    entry: Outcome | Skip


def fetch_page(
    request: PageRequest, history_query: HistoryQuery, should_continue: Callable[[], bool]
) -> tuple[StoredEntry, ...]:
    """Fetch a page, and wait for it. Call it on any thread.

    The text is searched in exceptions, results and output. If it is part of the words for an outcome or a
    skip reason, such rows match as well.

    Args:
        request: The page.
        history_query: Reads the store.
        should_continue: Returns False once the page is no longer needed.
    """
    search, before = request
    found = {
        row.id: row
        for row in history_query(limit=PAGE, before=before, search=search, should_continue=should_continue)
    }
    if search and should_continue() and (kinds := kinds_named(search)):
        found |= {
            row.id: row
            for row in history_query(limit=PAGE, before=before, kinds=kinds, should_continue=should_continue)
        }
    newest = sorted(found, reverse=True)[:PAGE]
    return tuple(_entry(found[number]) for number in newest)


def _entry(row: StoredRun | StoredSkip) -> StoredEntry:
    from taskkit.store import StoredRun  # a caller with such rows has loaded it

    return StoredEntry(row.id, row.session, row.outcome if isinstance(row, StoredRun) else row.skip)


class _Pages:
    """The pages of one search."""

    def __init__(self) -> None:
        self.rows: tuple[StoredEntry, ...] = ()
        """The rows of all pages, newest first."""
        self.complete = False
        """True if there are no older rows."""
        self.is_loaded = False
        """True once a page has come."""

    def take(self, before: int | None, page: tuple[StoredEntry, ...]) -> None:
        """Add a page."""
        is_last = len(page) < PAGE
        if before is not None:
            self.rows += page
            self.complete = is_last
        elif page or not self.is_loaded:  # an empty page after others means that reading failed
            # Pages that the new one does not reach are fetched again: rows are missing between them.
            reaches = bool(self.rows) and self.rows[0].id >= page[-1].id
            older = tuple(row for row in self.rows if row.id < page[-1].id) if reaches else ()
            self.rows = page + older
            self.complete = is_last or (reaches and self.complete)
        self.is_loaded = True

    def next(self, *, further: bool) -> tuple[int | None] | None:
        """Return the `before` of the next page, in a tuple; `None` if no page is needed."""
        if not self.is_loaded:
            return (None,)
        return (self.rows[-1].id,) if further and not self.complete else None


class HistoryPages:
    """The stored history of one task, as far as its pages were fetched.

    Args:
        has_store: True if there is a store to fetch from.
    """

    def __init__(self, *, has_store: bool = False) -> None:
        self._has_store = has_store
        self._all = _Pages()
        self._found = _Pages()
        self._search = ""
        self._unseen: EntryKey | None = None
        self._requested: EntryKey | None = None
        self._waited = 0  # calls of `notice` since `_requested` was requested
        self._refresh = False

    @property
    def rows(self) -> tuple[StoredEntry, ...]:
        """The fetched rows, newest first; a new object after each change."""
        return self._all.rows

    @property
    def found(self) -> tuple[StoredEntry, ...]:
        """The fetched matches of the search, newest first; a new object after each change."""
        return self._found.rows if self._search else ()

    @property
    def complete(self) -> bool:
        """True if there are no rows before the fetched ones."""
        return self._all.complete or not self._all.is_loaded

    @property
    def is_answered(self) -> bool:
        """True once the newest page was fetched, or if there is no store."""
        return self._all.is_loaded or not self._has_store

    @property
    def found_all(self) -> bool:
        """True if the search has no further matches."""
        return not self._search or self._found.complete

    @property
    def searching(self) -> str:
        """The text of the search in the store; empty without one."""
        return self._search

    def may_hold_more(self, entry: HistoryEntry | None) -> bool:
        """True if the store may have output that a run from before a restart lacks here."""
        if not _is_bare(entry):
            return False
        if not self.is_answered:
            return True
        return bool(self.rows) and key_of(entry) not in {key_of(row.entry) for row in self.rows}

    def search_for(self, typed: str) -> None:
        """Search the store for the typed text, literally. An inverted search covers only the fetched rows."""
        wanted = "" if typed.startswith("!") else typed.strip()
        if wanted != self._search:
            self._search = wanted
            self._found = _Pages()

    def notice(self, remembered: Sequence[HistoryEntry]) -> None:
        """Notice runs that the scheduler remembers, newest first, and that were not fetched yet.

        Such a run is requested at the next call: until then the store may not have it either. If it still
        has not, because its disk is slow, the run is requested again at the second call after that, the
        fourth, the eighth and so on.
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
            self._waited = self._waited + 1 if self._unseen == self._requested else 1
            self._requested = self._unseen
            is_power_of_two = not self._waited & (self._waited - 1)
            self._refresh = self._refresh or (is_power_of_two and self._all.is_loaded)
        self._unseen = unseen

    def next_request(self, *, further: bool) -> PageRequest | None:
        """Return the page to fetch next; `None` if none is needed.

        Args:
            further: True if the view has come near the end of the shown rows.
        """
        if self._search and (before := self._found.next(further=further)):
            return PageRequest(self._search, *before)
        if self._refresh:
            return PageRequest()
        before = self._all.next(further=further and not self._search)
        return PageRequest("", *before) if before else None

    def take(self, request: PageRequest, page: tuple[StoredEntry, ...]) -> None:
        """Add a fetched page; drop it if its search is over."""
        if not request.search:
            self._refresh = self._refresh and request.before is not None
            self._all.take(request.before, page)
        elif request.search == self._search:
            self._found.take(request.before, page)


def joined(remembered: Sequence[HistoryEntry], rows: Sequence[StoredEntry]) -> tuple[HistoryEntry, ...]:
    """Return a task's history without gaps, newest first: remembered entries, then older stored ones.

    There is a `Restart` between two sessions of the store. For a run before a restart the scheduler remembers
    only how it ended; then the stored entry is used, which has its output.
    """
    if not rows:
        return tuple(remembered)
    stored = {key_of(row.entry): row for row in rows}
    keys = {key_of(entry) for entry in remembered}
    skips = [entry for entry in remembered if isinstance(entry, Skip)]

    def is_remembered(row: StoredEntry) -> bool:
        entry = row.entry
        return key_of(entry) in keys or (
            isinstance(entry, Skip) and any(_covers(skip, entry) for skip in skips)
        )

    # Stored rows that are newer than all remembered ones will be remembered at the next update.
    first = next((index for index, row in enumerate(rows) if is_remembered(row)), 0)
    merged: list[tuple[HistoryEntry, int | None]] = []
    for entry in remembered:
        row = stored.get(key_of(entry))
        fullest = row.entry if row is not None and _is_bare(entry) else entry
        merged.append((fullest, None if row is None else row.session))
    merged += [(row.entry, row.session) for row in rows[first:] if not is_remembered(row)]
    return tuple(_with_restarts(merged))


def _is_bare(entry: HistoryEntry | None) -> TypeGuard[Outcome]:
    """True for a run without output and traceback."""
    return isinstance(entry, Outcome) and not entry.output and not entry.traceback


def _covers(skip: Skip, other: Skip) -> bool:
    return (
        skip.reason is other.reason and skip.first_due <= other.first_due <= other.last_due <= skip.last_due
    )


def _with_restarts(merged: Iterable[tuple[HistoryEntry, int | None]]) -> Iterable[HistoryEntry]:
    newer: tuple[HistoryEntry, int] | None = None
    for entry, session in merged:
        if session is not None:
            if newer is not None and session < newer[1]:
                yield Restart(newer[1], newer[1] - session, when_of(entry), when_of(newer[0]))
            newer = entry, session
        yield entry
