"""Take the picture of the dashboard in a browser: `python -m screenshots.browser`. Needs Chromium.

It is of a demo that really runs, so it differs a little each time.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Final

from demo_tasks import make_scheduler
from screenshots.chromium import Chromium, Tab
from taskkit import ScaledClock
from taskkit.remote import serve

PICTURE: Final = Path(__file__).with_name("browser.png")
SPEED: Final = 4.0
LIFE_SECONDS: Final = 12.0
"""Time until the log and the history have something to show."""


def main() -> None:
    """Run the demo, open it in a browser, and write the picture."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "site").mkdir()
        scheduler = make_scheduler(folder / "site", ScaledClock(SPEED))
        command = [Path(sys.executable).with_name("taskkit-tui"), "serve", "demo", "--port", "0"]
        with scheduler, serve(scheduler, "demo"):
            page = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert page.stdout is not None
            try:
                while (found := re.search(r"http\S+", page.stdout.readline())) is None:
                    pass
                with Chromium(folder / "profile") as browser, Tab(browser, found[0]) as tab:
                    tab.resize(1280, 720)
                    sleep(LIFE_SECONDS)
                    PICTURE.write_bytes(tab.picture())
            finally:
                page.terminate()
                page.wait()


if __name__ == "__main__":
    main()
