"""The command `taskkit-tui`: everything that can go wrong before the screen changes goes wrong here."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGINT
from time import time
from typing import TYPE_CHECKING

from taskkit import ScaledClock, Scheduler, Stream, Task, __version__
from taskkit.target import TargetError, load_target, offered_classes, scheduler_from, usable_state_path
from taskkit.words import how_to_look
from taskkit_tui.formatting import harmless
from taskkit_tui.inbox import Inbox

if TYPE_CHECKING:
    from taskkit.store import Store, StoreError
    from taskkit.taskfile import TaskFileFollower

USAGE_ERROR = 2
INTERRUPTED = 128 + SIGINT
DEMO = "demo"
"""What settings are kept under when there is no target; no target looks like it."""
FASTEST = 1000
"""How many times as fast as the machine's clock the demo can run; faster, nobody could follow it."""

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
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="N",
        help=f"run the demo on a clock N times as fast, up to {FASTEST}",
    )
    parser.add_argument(
        "--tour", action="store_true", default=None, help="run the demo, and say step by step what to press"
    )
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        "--state",
        type=Path,
        metavar="PATH",
        help="keep how things stand in this file, to go on there the next time; by default one for each "
        "TARGET in the platform's folder for state, and none for the demo",
    )
    state.add_argument("--no-state", action="store_true", help="keep nothing, and begin anew")
    parser.add_argument("--read-only", action="store_true", help="the tasks run; no key changes them")
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
    for option in ("folder", "speed", "tour"):
        if options.target is not None and getattr(options, option) is not None:
            parser.error(f"--{option} is for the demo, which runs without a TARGET")
    if options.tour and options.read_only:
        parser.error("--tour says what to press, and --read-only refuses it")
    if (trouble := terminal_trouble()) is not None:
        return _refuse(trouble)
    try:
        if options.target is None:
            return _run_demo(options)
        return _run_target(options)
    except TargetError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _run_target(options: argparse.Namespace) -> int:
    inbox = Inbox()
    path, trouble = _place_of_state(options)
    target = load_target(options.target, on_reload=inbox.hear, remembers=path is not None)
    if target.scheduler.is_kept:
        if options.state is not None:
            raise TargetError(f"{harmless(options.target)} keeps its state itself: leave --state out")
        store, trouble = _own_store(target.scheduler, options), ()
    else:
        store = _open_store(path, options)
    return _run(
        target.scheduler,
        options.target,
        target.classes,
        read_only=options.read_only,
        notices=trouble,
        inbox=inbox,
        follower=target.follower,
        store=store,
    )


def _own_store(scheduler: Scheduler, options: argparse.Namespace) -> Store | None:
    """The store that a scheduler has itself, opened now: its trouble is told before the screen changes."""
    from taskkit.store import PersistentScheduler, StoreError

    if not isinstance(scheduler, PersistentScheduler):
        return None
    try:
        return scheduler.store
    except StoreError as error:
        raise TargetError(*_trouble_with_store(error, options)) from error


def _place_of_state(options: argparse.Namespace) -> tuple[Path | None, tuple[str, ...]]:
    """Where the state is to be kept, and why it is not, if the usual place cannot be used."""
    if options.no_state:
        return None, ()
    if options.state is not None:
        return options.state, ()
    if options.target is None:
        return None, ()
    try:
        return usable_state_path(options.target), ()
    except TargetError as error:
        return None, (f"No state is kept: {error}",)


def _open_store(
    path: Path | None, options: argparse.Namespace, clock: ScaledClock | None = None
) -> Store | None:
    if path is None:
        return None
    from taskkit.store import Store, StoreError

    try:
        return Store.open(path, clock=clock)
    except StoreError as error:
        told, *ways = _trouble_with_store(error, options)
        raise TargetError(f"{told}; --no-state begins without", *ways) from error


def _trouble_with_store(error: StoreError, options: argparse.Namespace) -> tuple[str, ...]:
    """Why it cannot be opened; and what can be done where another process has it: it runs the tasks."""
    from taskkit.store import StoreInUseError

    told = harmless(str(error))
    if not isinstance(error, StoreInUseError) or options.target is None:
        return (told,)
    return told, how_to_look(options.target, options.state)


def terminal_trouble() -> str | None:
    """Why no screen can be shown here; `None` if one can."""
    for stream, name in ((sys.__stdin__, "input"), (sys.__stdout__, "output")):
        if stream is None or stream.closed or not stream.isatty():
            return f"standard {name} is not a terminal"
    if os.environ.get("TERM", "") in {"", "dumb"}:
        return "the terminal cannot show a screen: TERM is unset or dumb"
    return None


def _speed(typed: str) -> float:
    try:
        speed = float(typed)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"must be a number more than 0 and up to {FASTEST}, not {typed!r}")
    return speed


def _run_demo(options: argparse.Namespace) -> int:
    from tempfile import TemporaryDirectory

    folder: Path | None = options.folder
    if folder is None:
        with TemporaryDirectory(prefix="taskkit-demo-", ignore_cleanup_errors=True) as made:
            return _run_in(Path(made), options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"cannot use the folder {harmless(str(folder))}: {error.strerror}") from error
    return _run_in(folder, options)


def _run_in(folder: Path, options: argparse.Namespace) -> int:
    # Before the tasks get their start times, so that their first runs are not late by the import.
    import taskkit_tui.app  # noqa: F401
    from demo_tasks import make_scheduler, proposals

    clock = ScaledClock(options.speed or 1)
    scheduler = scheduler_from(lambda: make_scheduler(folder, clock), "the demo")
    words = f"The demo works in {harmless(str(folder))}"
    return _run(
        scheduler,
        DEMO,
        offered_classes(sys.modules["demo_tasks"]),
        read_only=options.read_only,
        words=words,
        prefilled=proposals(folder),
        now=clock.time,
        tour=bool(options.tour),
        store=_open_store(options.state, options, clock),
    )


def _run(
    scheduler: Scheduler,
    target: str,
    classes: Sequence[type[Task]],
    *,
    read_only: bool,
    words: str = "",
    prefilled: Mapping[str, str] | None = None,
    now: Callable[[], float] = time,
    tour: bool = False,
    notices: Sequence[str] = (),
    inbox: Inbox | None = None,
    follower: TaskFileFollower | None = None,
    store: Store | None = None,
) -> int:
    # Imported only now: a wrong target is told in a tenth of the time that Textual takes to load.
    from taskkit_tui.app import TaskkitApp
    from taskkit_tui.bridge import Bridge
    from taskkit_tui.keymap import keymap_path, read_keymap
    from taskkit_tui.keys import PLACES
    from taskkit_tui.settings import Memory, settings_path
    from taskkit_tui.terminal.outside import OutsideLines
    from taskkit_tui.terminal.run import run_in_terminal

    outside = OutsideLines(now=now)
    bridge = Bridge(scheduler, classes, prefilled, inbox=inbox, follower=follower, store=store)
    keymap, wrong_keys = read_keymap(keymap_path(), PLACES)
    if words:
        outside.put(Stream.STDOUT, words)
    kind: type[TaskkitApp] = TaskkitApp
    if tour:
        from taskkit_tui.tour import TouredApp

        kind = TouredApp
    app = kind(
        bridge,
        read_only=read_only,
        outside=outside,
        memory=Memory(settings_path(), target),
        keymap=keymap,
        notices=(*wrong_keys, *notices, *(store.notices if store is not None else ())),
    )
    return run_in_terminal(app, on_line=outside.put, stop=bridge.close)


def _refuse(reason: str) -> int:
    for line in reason.split("\n"):
        print(f"taskkit-tui: {line}", file=sys.stderr)
    return USAGE_ERROR
