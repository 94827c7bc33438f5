"""The mail reminder: well-formed messages, in a mailbox and on their way, and none that was smuggled in."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import ClassVar

import pytest

from demo_tasks import MailReminder
from taskkit import OutcomeKind, Scheduler
from taskkit.testing import ManualClock

ANN = "Ann <ann@stories.example>"


def remind(scheduler: Scheduler, task: MailReminder, **parameters: str) -> OutcomeKind:
    handle = scheduler.add_on_demand_task(task, "reminder")
    assert scheduler.demand_task("reminder", parameters or None)
    assert handle.last_outcome is not None
    return handle.last_outcome.kind


def messages_in(mbox: Path) -> list[EmailMessage]:
    box = mailbox.mbox(mbox, create=False)
    try:
        return [message_from_bytes(box.get_bytes(key), policy=policy.default) for key in box.keys()]  # noqa: SIM118
    finally:
        box.close()


def test_a_reminder_is_a_well_formed_message_dated_by_the_schedulers_clock(
    scheduler: Scheduler, tmp_path: Path, start: float
) -> None:
    mbox = tmp_path / "mail" / "reminders.mbox"

    assert remind(scheduler, MailReminder(ANN, "Fourteen pages\nbefore breakfast", mbox)) == "succeeded"

    (message,) = messages_in(mbox)
    assert message["To"] == ANN
    assert message["From"] == "reminder@stories.example"
    assert message["Subject"] == "Fourteen pages"
    assert message["Date"].datetime.timestamp() == start
    assert message["Message-ID"].endswith("@stories.example>")
    assert message.get_content() == "Fourteen pages\nbefore breakfast\n"
    assert not message.defects


def test_text_of_any_language_and_lines_that_begin_with_from_come_through(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    text = "Grüße, 你好 🙂\nFrom here on it is all the same\n.\n" + "long " * 300
    task = MailReminder("Jörg <joerg@stories.example>", text, tmp_path / "mbox")

    remind(scheduler, task)
    remind(scheduler, task)

    first, second = messages_in(tmp_path / "mbox")
    assert first.get_content() == second.get_content() == text + "\n"
    assert first["Subject"] == "Grüße, 你好 🙂"
    assert first["To"] == "Jörg <joerg@stories.example>"
    assert first["Message-ID"] != second["Message-ID"]
    assert (tmp_path / "mbox").read_bytes().isascii()


def test_a_run_can_be_given_another_text(scheduler: Scheduler, tmp_path: Path) -> None:
    remind(scheduler, MailReminder(ANN, "the usual", tmp_path / "mbox"), text="something else")

    assert messages_in(tmp_path / "mbox")[0]["Subject"] == "something else"


def test_a_subject_has_one_line_and_no_control_characters(scheduler: Scheduler, tmp_path: Path) -> None:
    remind(scheduler, MailReminder(ANN, "\n a\tb\x1b[2Jc\r\nBcc: eve@evil.example", tmp_path / "mbox"))
    remind(scheduler, MailReminder(ANN, "word " * 30, tmp_path / "mbox"))

    message, long = messages_in(tmp_path / "mbox")
    assert message["Subject"] == "a b [2Jc"
    assert message["Bcc"] is None
    assert len(long["Subject"]) == 60


@pytest.mark.parametrize(
    "to",
    [
        "ann@stories.example\nBcc: eve@evil.example",
        "ann@stories.example\r\n\r\nHello",
        "ann@stories.example\x00",
        "",
        "ann",
        "@stories.example",
        "ann@",
        "ann@stories.example, bob",
    ],
)
def test_who_is_no_address_or_brings_a_header_along_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match="to must be a mail address such as"):
        MailReminder(to, "text")


@pytest.mark.parametrize(
    "server", ["mail example", "mail:0", "mail:70000", "mail:smtp", "http://mail", "mail\n", ":25", "-", "[]"]
)
def test_what_is_no_server_is_refused(server: str) -> None:
    with pytest.raises(ValueError, match="server must be host or host:port, not"):
        MailReminder(ANN, "text", server=server)


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [("mail.example", "mail.example", 25), ("localhost:2525", "localhost", 2525), ("[::1]:26", "::1", 26)],
)
def test_a_server_is_a_host_with_or_without_a_port(server: str, host: str, port: int) -> None:
    task = MailReminder(ANN, "text", server=server)

    assert (task.host, task.port) == (host, port)


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_reminder_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="text must not be empty"):
        MailReminder(ANN, text)


def test_a_mailbox_that_somebody_else_holds_is_waited_for(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path
) -> None:
    lock = tmp_path / "mbox.lock"
    lock.touch()
    task = MailReminder(ANN, "text", tmp_path / "mbox")

    assert remind(scheduler, task) == "failed"
    outcome = scheduler.on_demand["reminder"].last_outcome
    assert outcome is not None
    assert outcome.exception == "TimeoutError: mbox is locked by somebody else"
    assert outcome.duration == pytest.approx(4.9)

    scheduler.add_timed_task(clock.time() + 1, lock.unlink, "let go")
    assert remind(scheduler, task) == "succeeded"
    assert len(messages_in(tmp_path / "mbox")) == 1
    assert not lock.exists()


class PostOffice(StreamRequestHandler):
    """Speaks as much SMTP as is needed to take a message."""

    taken: ClassVar[list[tuple[str, bytes]]] = []
    refuses: ClassVar[str] = "?"

    def handle(self) -> None:
        self.say("220 ready")
        to = ""
        for line in self.rfile:
            word = line.decode().strip().upper()
            if word == "DATA":
                self.say("354 go on")
                data = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.taken.append((to, data.replace(b"\r\n..", b"\r\n.")))
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            elif word.startswith("RCPT") and self.refuses.upper() in word:
                self.say("550 nobody here")
            else:
                to = f"{to} {word[9:-1].lower()}" if word.startswith("RCPT") else to
                self.say("250 well")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def post_office(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(PostOffice, "taken", [])
    with ThreadingTCPServer(("127.0.0.1", 0), PostOffice) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


def test_a_reminder_is_sent_where_a_server_is_named_and_kept_as_well(
    scheduler: Scheduler, tmp_path: Path, post_office: str
) -> None:
    text = "Grüße\n.\n..\nEnde"
    task = MailReminder(f"{ANN}, bob@stories.example", text, tmp_path / "mbox", post_office)

    assert remind(scheduler, task) == "succeeded"

    ((to, data),) = PostOffice.taken
    sent = message_from_bytes(data, policy=policy.default)
    (kept,) = messages_in(tmp_path / "mbox")
    assert to.split() == ["ann@stories.example", "bob@stories.example"]
    assert sent.get_content().splitlines() == text.splitlines()
    assert sent["Message-ID"] == kept["Message-ID"]


def test_a_server_that_refuses_makes_the_run_fail_and_nothing_is_kept(
    scheduler: Scheduler, tmp_path: Path, post_office: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PostOffice, "refuses", "ann@")

    assert remind(scheduler, MailReminder(ANN, "text", tmp_path / "mbox", post_office)) == "failed"

    outcome = scheduler.on_demand["reminder"].last_outcome
    assert outcome is not None
    assert outcome.exception is not None
    assert outcome.exception.startswith(f"ConnectionError: {post_office} did not take the reminder: ")
    assert not (tmp_path / "mbox").exists()


def test_who_of_several_is_refused_is_told(
    scheduler: Scheduler, tmp_path: Path, post_office: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PostOffice, "refuses", "bob@")
    task = MailReminder(f"{ANN}, bob@stories.example", "text", tmp_path / "mbox", post_office)

    assert remind(scheduler, task) == "succeeded"

    assert PostOffice.taken[0][0].split() == ["ann@stories.example"]


def test_a_server_that_is_not_there_is_told_by_its_name(scheduler: Scheduler, tmp_path: Path) -> None:
    assert remind(scheduler, MailReminder(ANN, "text", tmp_path / "mbox", "127.0.0.1:1")) == "failed"

    outcome = scheduler.on_demand["reminder"].last_outcome
    assert outcome is not None
    assert "127.0.0.1:1 did not take the reminder" in (outcome.exception or "")
