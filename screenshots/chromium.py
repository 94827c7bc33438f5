"""Steers a Chromium without a window by the DevTools protocol, for the picture of the page and for tests."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from queue import Queue
from threading import Lock, Thread
from typing import Any, Final, Self

CHROMIUM: Final = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
"""The program; None where there is none."""

ANSWER_SECONDS: Final = 20.0
"""Longest time until it answers, on a busy machine."""

_ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--remote-debugging-pipe",
    "--window-size=1280,800",
)

Message = dict[str, Any]


class Chromium:
    """The browser, on a pair of pipes.

    Args:
        profile: A folder for its profile.
    """

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def take_pipes() -> None:  # it reads from descriptor 3, and writes to 4
            read, write = (fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (to_read, to_write))
            os.dup2(read, 3)
            os.dup2(write, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, *_ARGUMENTS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=take_pipes,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        self._lock = Lock()
        self._last = 0
        self._answers: dict[int, Queue[Message]] = {}
        self._events: dict[str, Queue[Message]] = {}
        Thread(target=self._listen, name="chromium", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)  # it ends by that
        try:
            self._process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, session: str | None = None, **parameters: object) -> Message:
        """Call a method of the protocol, and return its result."""
        answer: Queue[Message] = Queue()
        with self._lock:
            self._last += 1
            self._answers[self._last] = answer
            message: Message = {"id": self._last, "method": method, "params": parameters}
            if session is not None:
                message["sessionId"] = session
            os.write(self._write, json.dumps(message).encode() + b"\0")
        came = answer.get(timeout=ANSWER_SECONDS)
        assert "error" not in came, came
        result: Message = came["result"]
        return result

    def events_of(self, session: str) -> Queue[Message]:
        """Return the queue of the events of a tab."""
        return self._events.setdefault(session, Queue())

    def _listen(self) -> None:
        left = b""
        with os.fdopen(self._read, "rb", buffering=0) as pipe:
            while data := pipe.read(1 << 16):
                *whole, left = (left + data).split(b"\0")
                for each in whole:
                    message = json.loads(each)
                    if "id" in message:
                        self._answers.pop(message["id"]).put(message)
                    elif "sessionId" in message:
                        self.events_of(message["sessionId"]).put(message)


class Tab:
    """An open page.

    Args:
        browser: Opens it.
        url: Its address.
    """

    def __init__(self, browser: Chromium, url: str) -> None:
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session: str = attached["sessionId"]
        self.events = browser.events_of(self._session)
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)

    def call(self, method: str, **parameters: object) -> Message:
        """Call a method of the protocol for this tab, and return its result."""
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a piece of JavaScript, or of its promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    def resize(self, width: int, height: int) -> None:
        """Give the window another size, in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", mobile=False, **size)

    def picture(self) -> bytes:
        """Return what is seen, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
