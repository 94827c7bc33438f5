"""The frame rate of the screen, in a real terminal."""

from __future__ import annotations

import pytest
from pty_screen import PtyScreen, python

TELL = """
import os
from taskkit import Scheduler

def tell():
    import textual.constants
    print("fps", textual.constants.MAX_FPS, os.environ.get("TEXTUAL_FPS"))

scheduler = Scheduler()
scheduler.add_periodic_task(0, 60, tell, "tell")
"""


@pytest.mark.parametrize(("wanted", "shown"), [(None, "fps 120 None"), ("30", "fps 30 30")])
def test_it_is_twice_that_of_textual_unless_a_person_has_set_it(wanted, shown, tmp_path):
    (tmp_path / "telling.py").write_text(TELL)
    command = python("-m", "taskkit_tui", "telling:scheduler", "--no-state", "--no-attach")
    environment = {} if wanted is None else {"TEXTUAL_FPS": wanted}
    with PtyScreen(command, environment=environment, folder=tmp_path) as screen:
        screen.wait_for(shown)
        screen.press("q")
        screen.wait_for_end()
