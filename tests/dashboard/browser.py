"""A page of the dashboard in a real browser: keys to press, and the screen that it shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from queue import Empty
from time import monotonic
from typing import Any

import pyte
from pty_screen import PATIENCE, known_to_pyte

from screenshots.chromium import Chromium, Tab

_ENTER = 13


class Page(Tab):
    """A tab, and the screen of the dashboard in it. The screen is read from what the server sends."""

    def __init__(self, browser: Chromium, url: str) -> None:
        self.requests: list[str] = []
        """The addresses of all that it has loaded or tried to load."""
        self.connections = 0
        """The number of times that it has connected to a dashboard."""
        self.complaints: list[str] = []
        """Errors in its console."""
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        super().__init__(browser, url)

    def press(self, *keys: str) -> None:
        """Press letters, or `enter`. Waits until the page takes keys."""
        self.wait_until(lambda: self.evaluate("document.activeElement !== document.body"), "the focus")
        for key in keys:
            name, text, code = ("Enter", "\r", _ENTER) if key == "enter" else (key, key, ord(key.upper()))
            press = {"key": name, "windowsVirtualKeyCode": code}
            self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **press)
            self.call("Input.dispatchKeyEvent", type="keyUp", **press)

    def reload(self) -> None:
        """Load the page again, and forget the screen of the old one."""
        self.read()
        self._screen.reset()
        self.call("Page.reload")

    def read(self, seconds: float = 0.0) -> None:
        """Take what has come; wait for something at most so long."""
        try:
            event = self.events.get(timeout=seconds) if seconds else self.events.get_nowait()
            while True:
                self._note(event["method"], event["params"])
                event = self.events.get_nowait()
        except Empty:
            return

    def _note(self, method: str, parameters: dict[str, Any]) -> None:
        match method:
            case "Network.webSocketFrameReceived" if parameters["response"]["opcode"] == 2:
                data = base64.b64decode(parameters["response"]["payloadData"])
                self._stream.feed(known_to_pyte(data.decode("utf-8", "replace")).encode())
            case "Network.webSocketFrameSent":
                sent = json.loads(parameters["response"]["payloadData"])
                if sent[0] == "resize":
                    self._screen.resize(sent[1]["height"], sent[1]["width"])
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(parameters["url"])
                self.connections += 1
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(parameters["exceptionDetails"]))

    @property
    def text(self) -> str:
        """What the screen of the dashboard shows."""
        return "\n".join(row.rstrip() for row in self._screen.display).rstrip()

    def wait_until(self, true: Callable[[], object], what: str) -> None:
        """Read until a condition is true."""
        deadline = monotonic() + PATIENCE
        while not true():
            assert monotonic() < deadline, f"{what} did not happen; complaints {self.complaints}\n{self.text}"
            self.read(0.05)

    def wait_for(self, *texts: str) -> None:
        """Read until the screen shows all of these."""
        self.wait_until(lambda: all(text in self.text for text in texts), f"showing {texts}")
