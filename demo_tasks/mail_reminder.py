"""Checking arguments early: a bad address is refused when the task is made, not when a mail is sent.

The mail is added to a mailbox file, and sent if a server is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, getaddresses, make_msgid
from pathlib import Path
from time import gmtime
from typing import TYPE_CHECKING, ClassVar, Final

from taskkit import Task, current_run

if TYPE_CHECKING:
    from email.message import EmailMessage

SENDER: Final = "reminder@stories.example"
TIMEOUT: Final = 10.0
"""The longest wait for an answer of the server, in seconds."""
SMTP_PORT: Final = 25
_TRIES: Final = 50
_BETWEEN_TRIES: Final = 0.1
"""Seconds between two tries to lock the mailbox; another task may be writing to it."""
_ADDRESS: Final = re.compile(r"{0}(\.{0})*@{0}(\.{0})*".format(r'[^\s@.,;:<>()"\[\]\\]+'))
_SERVER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_LONGEST_SUBJECT: Final = 60


class MailReminder(Task):
    """Adds a reminder to a mailbox file, and sends it if a server is given."""

    run_parameters: ClassVar[Mapping[str, object] | None] = {"text": ""}

    def __init__(self, to: str, text: str, mbox: Path = Path("reminders.mbox"), server: str = "") -> None:
        """Take the addresses and the text, and check them.

        Args:
            to: One mail address, or several with commas between them.
            text: The text of the mail; its first line is also the subject.
            mbox: The mailbox file that the message is added to.
            server: A mail server as `host` or `host:port`; empty to send nothing. The connection is not
                encrypted, so use one in your own network.

        Raises:
            ValueError: `to` is not an address, `text` is empty, or `server` is not a server.
        """
        _check_addresses(to)
        _check_text(text)
        self.to = to
        self.text = text
        self.mbox = mbox
        self.server = server
        self.host, self.port = _host_and_port(server)

    def run(self) -> None:
        """Send the message, and save it. A run can have another text as its parameter.

        Raises:
            OSError: The server refuses the message, or the mailbox stays locked.
            ValueError: The text of this run is blank.
        """
        message = self.message(str(self.parameters.get("text") or self.text))
        if self.host:
            self._send(message)
        self._save(message)

    def message(self, text: str) -> EmailMessage:
        """Return the message, with the time at which this run began.

        Raises:
            ValueError: The text is blank.
        """
        from email.headerregistry import Address
        from email.message import EmailMessage

        _check_text(text)
        message = EmailMessage()
        message["From"] = SENDER
        message["To"] = [Address(name, addr_spec=address) for name, address in getaddresses([self.to])]
        message["Subject"] = _subject(text)
        message["Date"] = format_datetime(datetime.fromtimestamp(current_run().started or 0).astimezone())
        message["Message-ID"] = make_msgid(domain=SENDER.partition("@")[2])
        # In a mailbox a line that begins with “From ” begins a new message, so it would be written as
        # “>From ”. In base64 there is no such line.
        begins_as_message = any(line.startswith("From ") for line in text.splitlines())
        message.set_content(text, cte="base64" if begins_as_message else "quoted-printable")
        return message

    def _send(self, message: EmailMessage) -> None:
        from smtplib import SMTP, SMTPException  # large, and only few runs need it

        try:
            with SMTP(self.host, self.port, local_hostname="localhost", timeout=TIMEOUT) as server:
                refused = server.send_message(message)
        except (SMTPException, OSError) as error:
            raise ConnectionError(f"{self.server} did not take the reminder: {error}") from error
        for address, (code, reason) in refused.items():
            print(f"{self.server} refuses {address}: {code} {reason.decode(errors='replace')}")
        print(f"sent by {self.server}")

    def _save(self, message: EmailMessage) -> None:
        from mailbox import ExternalClashError, mbox, mboxMessage

        kept = mboxMessage(message)
        kept.set_from(SENDER, gmtime(current_run().started))
        self.mbox.parent.mkdir(parents=True, exist_ok=True)
        box = mbox(self.mbox)
        try:
            for tried in range(1, _TRIES + 1):
                try:
                    box.lock()
                    break
                except ExternalClashError:
                    if tried == _TRIES:
                        raise TimeoutError(f"{self.mbox.name} is locked by somebody else") from None
                    if not self.sleep(_BETWEEN_TRIES):
                        return
            box.add(kept)
        finally:
            box.close()  # this unlocks it
        print(f"a reminder for {self.to} is in {self.mbox.name}")


def _check_addresses(to: str) -> None:
    """Refuse what is not an address. A line end in it would let the writer add a header."""
    addresses = getaddresses([to]) if to.isprintable() else []
    if not addresses or not all(_ADDRESS.fullmatch(address) for _, address in addresses):
        raise ValueError(f"to must be a mail address such as ann@stories.example, not {to!r}")


def _check_text(text: str) -> None:
    if not text.strip():
        raise ValueError(f"text must not be empty, not {text!r}")


def _host_and_port(server: str) -> tuple[str, int]:
    if not server:
        return "", 0
    found = _SERVER.fullmatch(server)
    port = int(found[2] or SMTP_PORT) if found else 0
    if found is None or not 0 < port < 65_536:
        raise ValueError(f"server must be host or host:port, not {server!r}")
    return found[1].strip("[]"), port


def _subject(text: str) -> str:
    """Return the first line, without characters that a header cannot hold."""
    line = text.strip().splitlines()[0]
    words = " ".join("".join(each if each.isprintable() else " " for each in line).split())
    return words if len(words) <= _LONGEST_SUBJECT else words[: _LONGEST_SUBJECT - 1] + "…"
