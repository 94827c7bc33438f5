"""The frame rate of the screen, which Textual reads from the environment when it is imported."""

from __future__ import annotations

import os
from typing import Final

FRAMES_PER_SECOND: Final = 120
"""The most frames per second. The effect of a key that comes just after a frame waits for the next one."""

_VARIABLE: Final = "TEXTUAL_FPS"


def set_frame_rate() -> None:
    """Set the frame rate, unless a person has; call it before Textual is imported.

    The environment stays as it was: the programs that tasks start inherit it.
    """
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = str(FRAMES_PER_SECOND)
        try:
            import textual.constants  # noqa: F401
        finally:
            del os.environ[_VARIABLE]
