"""The backend around a scheduler of another process: `taskkit_tui.backend.Backend` over a connection.

The client has a thread of its own, so nothing here waits for the service: the app takes what has come, and a
command is awaited while the app keeps running. A command whose answer is lost is reported as unknown, and
never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import TimeoutError as StillWaiting
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from taskkit import (
    Changes,
    Figures,
    Outcome,
    OutcomeKind,
    RunFinished,
    SkipReason,
    TaskDetails,
    TaskSnapshot,
)
from taskkit.remote.client import Client, News, own_terminal
from taskkit.remote.discovery import ask_all
from taskkit.remote.errors import ProtocolError, RemoteError
from taskkit.remote.link import Link
from taskkit.remote.rows import read_chunk, read_time
from taskkit.remote.sockets import SocketFile
from taskkit.remote.successors import siblings
from taskkit.schedules.zones import zone_name
from taskkit.words.durations import coarse
from taskkit_tui.backend import Frame, Notice
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.inbox import Inbox
from taskkit_tui.remote_answers import (
    read_details,
    read_page,
)
from taskkit_tui.remote_commands import RemoteCommands
from taskkit_tui.service_finder import ServiceFinder
from taskkit_tui.viewmodel.services import ServiceChoice, who_watches

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip

NOT_STARTED: Final = Figures(0.0, False, False, 0, 0, 0, 0, 0, None, None)
"""The figures before the first frame."""
_PAGE: Final = 100
"""Rows of the stored past that one request asks for."""
READ_SECONDS: Final = 0.02
"""Time for reading frames in one look of the app: a key that comes meanwhile waits no longer."""
_SUCCESSOR_SECONDS: Final = 1.5
"""Wait for a lost service before a person is asked about others of its name."""
_LAST_WORDS_SECONDS: Final = 0.3
"""The longest wait for the answer to who else watches."""
_CHECK_SECONDS: Final = 0.1
"""Between two looks whether a search is still wanted."""


class RemoteBackend(RemoteCommands):
    """A backend around a served scheduler. The tasks keep running when it is closed.

    Args:
        files: The sockets of the services that may be meant; see `taskkit.remote.discovery`. If there are
            several, a person is asked.
        program: The name that the service gives to a person who has no terminal.
    """

    def __init__(self, *files: SocketFile, program: str = "taskkit-tui") -> None:
        super().__init__()
        self._files = files
        self._program = program
        self._file: SocketFile | None = files[0] if len(files) == 1 else None
        self._finder: ServiceFinder | None = None
        self._declined = False
        self._own_zone = zone_name(None)
        self._client: Client | None = None
        self._inbox = Inbox()
        self._figures = NOT_STARTED
        self._numbers: set[int] = set()
        self._life = 0
        self._details: dict[str, TaskDetails] = {}
        self._complaint = ""

    def last_words(self) -> str:
        """Return the words for a person who leaves: that the service keeps running, and who else watches it.

        Empty if it does not answer within a moment. Any thread.
        """
        client = self._client
        if client is None or client.state.link is not Link.ATTACHED:
            return ""
        words = f"{harmless(client.file.name)} (process {client.file.pid}) keeps running"
        try:
            others = client.ask("clients").result(_LAST_WORDS_SECONDS).get("clients")
        except (RemoteError, StillWaiting):
            return ""
        watching = (
            [str(each["who"]) for each in others if each["watches"]] if isinstance(others, list) else []
        )
        return f"{words}; {who_watches(watching)} it too" if watching else words

    # The view: nothing waits.

    def open(self) -> None:
        """Connect, and ask for frames; or look for what there is to choose from."""
        if self._file is None:
            if self._finder is None:
                self._finder = ServiceFinder(partial(ask_all, self._files))
        elif self._client is None:
            self._client = Client(self._file, watch=True, tty=own_terminal(), program=self._program)

    def close(self, timeout: float) -> Sequence[str]:  # noqa: ARG002 - nothing is stopped
        """Disconnect. The tasks keep running."""
        if self._finder is not None:
            self._finder.close()
        if self._client is not None:
            self._client.close()
        return ()

    @property
    def leaving_stops_runs(self) -> bool:
        """False: the scheduler belongs to another process."""
        return False

    @property
    def trouble(self) -> str | None:
        """None: the service itself reports what it cannot store."""
        return None

    @property
    def file_trouble(self) -> str | None:
        """None: the service itself reports a broken task file."""
        return None

    @property
    def connection(self) -> str:
        """The state of the connection, for the header: `shop (4711)`, `no answer for 4 s`."""
        file = self._file if self._client is None else self._client.file
        if file is None:
            return "not attached"
        name = f"{_shown_name(file)} ({file.pid})"
        if self._client is None:
            return name
        state = self._client.state
        match state.link:
            case Link.ATTACHED:
                return f"{name}{self._zone_note()}{'' if self._client.may_command else ', view only'}"
            case Link.CONNECTING:
                return f"{name}: connecting"
            case Link.NO_ANSWER:
                return f"{name}: no answer for {coarse(state.seconds)}"
            case Link.ENDED:
                return f"{name}: ended, waiting for its next start"
            case Link.UNUSABLE:
                return f"{name}: {shorten(harmless(state.text), 60)}"
            case _:
                return f"{name}: not connected, retrying"

    @property
    def is_connected(self) -> bool:
        """False while the screen shows the past: the service does not answer, or is gone."""
        return self._client is not None and self._client.state.link is Link.ATTACHED

    def source(self, name: str) -> str:
        """Return who registered a task: `program` or `file`; empty for a person."""
        if name in self._registered_by_hand:
            return ""
        target = self._greeting().get("target")
        return "file" if isinstance(target, str) and target.endswith(".toml") else "program"

    def collect(self) -> Frame:
        """Return what has come since the last call, at most as much as can be read in a moment."""
        if self._client is None:
            return Frame(Changes(self._figures, (), ()), choices=self._choices())
        gone: set[int] = set()
        changed: dict[int, TaskSnapshot] = {}
        dropped = 0
        enough = monotonic() + READ_SECONDS
        for news in self._connected().take_news():
            if news.life != self._life:  # another instance: nothing of the one before stays
                if self._life:
                    file = self._connected().file
                    self._inbox.add_notice(Notice(f"{_shown_name(file)} runs again, as process {file.pid}"))
                self._life = news.life
                self._details.clear()
                gone |= self._numbers
                self._numbers.clear()
                changed.clear()
            try:
                dropped += self._take(news, changed, gone)
            except (ProtocolError, TypeError, ValueError, KeyError, AttributeError) as error:
                complaint = f"{_shown_name(self._connected().file)} sends what cannot be read: {error}"
                if complaint != self._complaint:  # a frame comes ten times a second
                    self._complaint = complaint
                    self._inbox.add_notice(Notice(harmless(complaint), is_trouble=True))
            if monotonic() > enough:
                break
        lines, lost, failures, notices = self._inbox.take()
        changes = Changes(self._figures, tuple(changed.values()), tuple(gone - changed.keys()))
        has_more = self._client.has_news
        return Frame(changes, lines, lost + dropped, failures, notices, has_more, self._choices())

    def _zone_note(self) -> str:
        """Return the zone of the service, to follow its name, if it is not ours."""
        zone = self._greeting().get("zone")
        if not isinstance(zone, str) or zone == self._own_zone:
            return ""
        return f", {shorten(harmless(zone), 30)}"

    def attach_to(self, key: str | None) -> bool:
        """Attach to one of the choices; None to wait for the lost service, or to attach to nothing."""
        found = () if self._finder is None else self._finder.found
        chosen = [each.socket for each in found if str(each.path) == key]
        if key is not None and not chosen:
            return True  # it has just ended; the others are asked about again
        self._declined = key is None
        self._stop_finding()
        if chosen:
            (self._file,) = chosen
            self._life = 0  # it is another service, and not the lost one again
            if self._client is None:
                self.open()
            else:
                self._client.attach_to(self._file)
        return self._client is not None

    def _choices(self) -> Sequence[ServiceChoice]:
        """Return the services to ask about, with the figures of the last second."""
        client = self._client
        if client is not None and client.state.link not in (Link.NOT_CONNECTED, Link.ENDED):
            self._stop_finding()
            self._declined = False
            return ()
        if self._declined:
            return ()
        if self._finder is None and client is not None:
            # A successor comes first: it is found within a second or so, and attached to without a question.
            self._finder = ServiceFinder(partial(siblings, client.file), _SUCCESSOR_SECONDS)
        found = () if self._finder is None else self._finder.found
        return [
            ServiceChoice(str(each.path), each.name, each.pid, each.target, each.since, each.figures())
            for each in found
        ]

    def _stop_finding(self) -> None:
        if self._finder is not None:
            self._finder.close()
            self._finder = None

    def _take(self, news: News, changed: dict[int, TaskSnapshot], gone: set[int]) -> int:
        """Take in one frame. Return how many lines were lost before its lines."""
        rows, frame = news.rows, news.frame
        if frame.get("anew"):
            gone |= self._numbers
            self._numbers.clear()
            changed.clear()
        figures = rows.read(Figures, frame["figures"])
        read_time(figures.time)
        self._figures = figures
        for row in frame.get("rows", ()):
            task = rows.read(TaskSnapshot, row)
            if task.period is not None and task.period <= 0:
                raise ProtocolError("not a row of task: its period is not more than 0 seconds")
            changed[task.number] = task
            gone.discard(task.number)
            self._numbers.add(task.number)
        for number in frame.get("gone", ()):
            changed.pop(number, None)
            gone.add(number)
            self._numbers.discard(number)
        for chunk in frame.get("log", ()):
            self._inbox.put(read_chunk(chunk, figures.time))
        for _at, name, run, row in frame.get("failures", ()):
            outcome = rows.read(Outcome, row)
            self._inbox.put(RunFinished(outcome.finished, str(name), int(run), outcome))
        for _at, text in frame.get("notices", ()):
            self._inbox.add_notice(Notice(harmless(str(text))))
        return max(0, int(frame.get("dropped", 0)))

    def earlier(
        self,
        name: str | None,
        *,
        limit: int,
        before: int | None = None,
        search: str = "",
        kinds: Collection[OutcomeKind | SkipReason] = (),
        should_continue: Callable[[], bool] | None = None,
    ) -> Sequence[StoredRun | StoredSkip]:
        """Return what the service has stored of a task's past, newest first. It waits: use a thread."""
        rows = self._connected().rows
        found: list[StoredRun | StoredSkip] = []
        while len(found) < limit:
            answer = self._search(
                should_continue,
                name=name,
                limit=min(_PAGE, limit - len(found)),
                before=before,
                search=search,
                kinds=[str(kind) for kind in kinds],
            )
            if answer is None:
                return ()
            try:
                page = read_page(rows, answer)
            except ProtocolError as error:
                self._report_unread_history(error)
                return ()
            found += page
            before = page[-1].id if page else None
            if not page or (answer.get("complete") and len(page) < _PAGE):
                break
        return found

    def _search(
        self, should_continue: Callable[[], bool] | None, **arguments: object
    ) -> dict[str, Any] | None:
        """Ask for one page, and wait for it; None if it is no longer wanted, or there is no answer."""
        future = self._connected().ask("earlier", **arguments)
        while True:
            try:
                return future.result(_CHECK_SECONDS)
            except StillWaiting:
                if should_continue is not None and not should_continue():
                    return None
            except RemoteError as error:
                self._report_unread_history(error)
                return None

    def _report_unread_history(self, error: RemoteError) -> None:
        self._inbox.add_notice(Notice(f"The history cannot be read: {harmless(str(error))}", True))

    async def describe(self, name: str) -> TaskDetails | None:
        """Return everything about one task; None if it is gone. Without an answer, as it last was.

        Raises:
            RemoteError: There is no answer, and it was not described before.
        """
        if name in self._details and not self.is_connected:
            return self._details[name]
        try:
            answer = await self._ask("describe", name=name)
        except RemoteError:
            if name in self._details:
                return self._details[name]
            raise
        details = read_details(self._connected().rows, answer)
        if details is None:
            self._details.pop(name, None)
            return None
        if answer.get("by_hand"):
            self._registered_by_hand.add(name)
        if len(self._details) > _PAGE:
            self._details.clear()
        self._details[name] = details
        return details

    # Helpers

    def _connected(self) -> Client:
        if self._client is None:
            raise RemoteError("no scheduler is attached to")
        return self._client

    def _greeting(self) -> Mapping[str, object]:
        return self._connected().greeting or {}


def _shown_name(file: SocketFile) -> str:
    return shorten(harmless(file.name), 20)
