"""The command `taskkit-tui`: everything that can go wrong before the screen changes goes wrong here."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGINT

from taskkit import Scheduler, Stream, Task, __version__
from taskkit.target import TargetError, load_target, offered_classes, scheduler_from
from taskkit_tui.formatting import harmless

USAGE_ERROR = 2
INTERRUPTED = 128 + SIGINT
DEMO = "demo"
"""What settings are kept under when there is no target; no target looks like it."""

_DESCRIPTION = "Watch and steer a taskkit scheduler in the terminal."
_EPILOG = "Press ? for the keys, and q to leave."


def build_parser() -> argparse.ArgumentParser:
    """The options, and their help."""
    parser = argparse.ArgumentParser(prog="taskkit-tui", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help="package.module:attribute, a Scheduler or a function that makes one, or a .toml file of tasks; "
        "without it, the demo",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="PATH",
        help="where the demo's tasks work; by default a new temporary folder",
    )
    parser.add_argument("--read-only", action="store_true", help="look, and change nothing")
    parser.add_argument("--version", action="version", version=f"taskkit-tui {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    # Nothing of what is loaded before the first paint is garbage; looking through it costs a third of it.
    gc.disable()
    try:
        return _main(arguments)
    finally:
        gc.enable()


def _main(arguments: Sequence[str] | None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.target is not None and options.folder is not None:
        parser.error("--folder is for the demo, which runs without a TARGET")
    if (trouble := terminal_trouble()) is not None:
        return _refuse(trouble)
    try:
        if options.target is None:
            return _run_demo(options.folder, read_only=options.read_only)
        target = load_target(options.target)
        return _run(target.scheduler, options.target, target.classes, read_only=options.read_only)
    except TargetError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def terminal_trouble() -> str | None:
    """Why no screen can be shown here; `None` if one can."""
    for stream, name in ((sys.__stdin__, "input"), (sys.__stdout__, "output")):
        if stream is None or stream.closed or not stream.isatty():
            return f"standard {name} is not a terminal"
    if os.environ.get("TERM", "") in {"", "dumb"}:
        return "the terminal cannot show a screen: TERM is unset or dumb"
    return None


def _run_demo(folder: Path | None, *, read_only: bool) -> int:
    from tempfile import TemporaryDirectory

    if folder is None:
        with TemporaryDirectory(prefix="taskkit-demo-", ignore_cleanup_errors=True) as made:
            return _run_in(Path(made), read_only=read_only)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"cannot use the folder {harmless(str(folder))}: {error.strerror}") from error
    return _run_in(folder, read_only=read_only)


def _run_in(folder: Path, *, read_only: bool) -> int:
    # Before the tasks get their start times, so that their first runs are not late by the import.
    import taskkit_tui.app  # noqa: F401
    from demo_tasks import make_scheduler, proposals

    scheduler = scheduler_from(lambda: make_scheduler(folder), "the demo")
    words = f"The demo works in {harmless(str(folder))}"
    classes = offered_classes(sys.modules["demo_tasks"])
    return _run(scheduler, DEMO, classes, read_only=read_only, words=words, prefilled=proposals(folder))


def _run(
    scheduler: Scheduler,
    target: str,
    classes: Sequence[type[Task]],
    *,
    read_only: bool,
    words: str = "",
    prefilled: Mapping[str, str] | None = None,
) -> int:
    # Imported only now: a wrong target is told in a tenth of the time that Textual takes to load.
    from taskkit_tui.app import TaskkitApp
    from taskkit_tui.bridge import Bridge
    from taskkit_tui.keys import BINDING_IDS
    from taskkit_tui.settings import Memory, keymap_path, read_keymap, settings_path
    from taskkit_tui.terminal.outside import OutsideLines
    from taskkit_tui.terminal.run import run_in_terminal

    outside = OutsideLines()
    bridge = Bridge(scheduler, classes, prefilled)
    keymap, notices = read_keymap(keymap_path(), BINDING_IDS)
    if words:
        outside.put(Stream.STDOUT, words)
    app = TaskkitApp(
        bridge,
        read_only=read_only,
        outside=outside,
        memory=Memory(settings_path(), target),
        keymap=keymap,
        notices=notices,
    )
    return run_in_terminal(app, on_line=outside.put, stop=bridge.close)


def _refuse(reason: str) -> int:
    for line in reason.split("\n"):
        print(f"taskkit-tui: {line}", file=sys.stderr)
    return USAGE_ERROR
