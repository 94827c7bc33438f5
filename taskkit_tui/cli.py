"""The command `taskkit-tui`: all errors before the screen changes are reported here."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from signal import SIGINT
from time import time
from typing import TYPE_CHECKING

from taskkit import ScaledClock, Scheduler, Stream, Task, TaskkitError, __version__
from taskkit.completion.scripts import SHELLS, completion_script
from taskkit.process.orphans import leave_orphans_to_parent
from taskkit.process.process_exit import StandardStreams
from taskkit.schedules.machine_zone import take_zone_warning
from taskkit.targets.state_paths import other_state_path
from taskkit.targets.target import TargetError, load_target, offered_classes, scheduler_from
from taskkit_tui.formatting import harmless
from taskkit_tui.inbox import Inbox
from taskkit_tui.target_state import (
    notices_of_new,
    open_store,
    own_store,
    place_of_state,
    refuse_state_of_others,
)
from taskkit_tui.terminal.frame_rate import set_frame_rate

if TYPE_CHECKING:
    from taskkit.remote.server import Server
    from taskkit.remote.sockets import SocketFile
    from taskkit.store import Store
    from taskkit.taskfile import TaskFileFollower
    from taskkit_tui.backend import Backend
    from taskkit_tui.terminal.outside_output import OutsideLines

USAGE_ERROR = 2
INTERRUPTED = 128 + SIGINT
DEMO = "demo"
"""Key of the settings of the demo; no target looks like it."""
FASTEST = 1000
"""Highest speed of the demo, relative to the machine's clock; a faster one could not be followed."""

_DESCRIPTION = "Watch and control a taskkit scheduler in the terminal."
_EPILOG = (
    "A TARGET that another process runs is attached to. taskkit-tui attach [SERVICE] attaches to any "
    "scheduler that runs on this machine, and taskkit-tui serve [SERVICE] shows it in a browser. Press ? for "
    "the keys, and q to leave."
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the options, with their help."""
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
        help="save the state in this file, and continue from it the next time; by default one for each "
        "TARGET in the platform's folder for state, and none for the demo",
    )
    state.add_argument("--no-state", action="store_true", help="save nothing, and start afresh")
    parser.add_argument("--read-only", action="store_true", help="the tasks run; no key changes them")
    parser.add_argument(
        "--no-attach",
        action="store_true",
        help="run TARGET here, even if another process runs it, and let no other process see or control it",
    )
    parser.add_argument(
        "--completion",
        choices=SHELLS,
        metavar="SHELL",
        help=f"print the completion script of a shell: {', '.join(SHELLS)}; “taskkit completion --help” says "
        "where it goes",
    )
    parser.add_argument("--version", action="version", version=f"taskkit-tui {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    # Nothing that is loaded before the first paint is garbage; see docs/performance.md.
    gc.disable()
    streams = StandardStreams()
    try:
        return _main(arguments)
    finally:
        streams.put_back()
        gc.enable()


def _main(arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["attach"]:
        return _main_of_attach(words[1:])
    if words[:1] == ["serve"]:
        return _main_of_serve(words[1:])
    parser = build_parser()
    options = parser.parse_args(words)
    if options.completion is not None:
        return _print_completion(options.completion, parser)
    for option in ("folder", "speed", "tour"):
        if options.target is not None and getattr(options, option) is not None:
            parser.error(f"--{option} is for the demo, which runs without a TARGET")
    if options.tour and options.read_only:
        parser.error("--tour says what to press, and --read-only refuses it")
    if (trouble := terminal_trouble()) is not None:
        return _refuse(trouble)
    if (status := leave_orphans_to_parent()) is not None:
        return status
    try:
        if options.target is None:
            return _run_demo(options)
        return _run_target(options)
    except TargetError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _print_completion(shell: str, parser: argparse.ArgumentParser) -> int:
    from taskkit_tui.attach import build_parser as build_attach_parser
    from taskkit_tui.web.serve import build_parser as build_serve_parser

    subcommands = {"attach": build_attach_parser(), "serve": build_serve_parser()}
    sys.stdout.write(completion_script(shell, parser, subcommands))
    return 0


def _main_of_attach(arguments: Sequence[str]) -> int:
    from taskkit_tui.attach import build_parser, services_meant

    options = build_parser().parse_args(arguments)
    if (trouble := terminal_trouble()) is not None:
        return _refuse(trouble)
    try:
        return _attach(services_meant(options.service), read_only=options.read_only)
    except TargetError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _main_of_serve(arguments: Sequence[str]) -> int:
    from taskkit_tui.web.serve import main

    try:
        return main(arguments)
    except TargetError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _attach(files: Sequence[SocketFile], *, read_only: bool, notices: Sequence[str] = ()) -> int:
    """Show the scheduler of another process. Return the exit status."""
    from taskkit_tui.remote_backend import RemoteBackend
    from taskkit_tui.terminal.outside_output import OutsideLines

    backend = RemoteBackend(*files)
    key = files[0].name if len({each.name for each in files}) == 1 else "attach"
    return _show(
        backend,
        key,
        outside=OutsideLines(),
        read_only=read_only,
        notices=notices,
        last_words=backend.last_words,
    )


def _run_target(options: argparse.Namespace) -> int:
    if not (options.no_attach or options.no_state or options.state is not None):
        from taskkit_tui.attach import running_target

        files = running_target(options.target)
        if files:
            words = f"Process {files[0].pid} runs {harmless(options.target)}: attached to it"
            notices = (words,) if len(files) == 1 else ()
            return _attach(files, read_only=options.read_only, notices=notices)
    inbox = Inbox()
    path, trouble = place_of_state(options)
    other = other_state_path(options.target) if path is not None and options.state is None else None
    target = load_target(options.target, on_reload=inbox.report_reload, remembers=path is not None)
    try:
        target.scheduler.check_start()
    except TaskkitError as error:  # now, before the screen changes
        raise TargetError(harmless(str(error))) from error
    if target.scheduler.is_persistent:
        if options.state is not None:
            raise TargetError(f"{harmless(options.target)} saves its state itself: leave out --state")
        store, trouble = own_store(target.scheduler, options), ()
    else:
        store = open_store(path, options)
        trouble += notices_of_new(store, options, other)
    return _run(
        target.scheduler,
        options.target,
        target.classes,
        read_only=options.read_only,
        notices=trouble,
        inbox=inbox,
        follower=target.follower,
        store=store,
        serves=not options.no_attach,
    )


def terminal_trouble() -> str | None:
    """Return why no screen can be shown here; None if one can."""
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
    set_frame_rate()
    # Before the tasks get their start times, so that their first runs are not late by the import.
    import taskkit_tui.app  # noqa: F401
    from demo_tasks import make_scheduler, proposals

    clock = ScaledClock(options.speed or 1)
    scheduler = scheduler_from(lambda: make_scheduler(folder, clock), "the demo")
    path = place_of_state(options)[0]
    refuse_state_of_others(path, scheduler)
    store = open_store(path, options, clock)
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
        notices=notices_of_new(store, options),
        store=store,
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
    serves: bool = False,
) -> int:
    from taskkit_tui.bridge import Bridge
    from taskkit_tui.terminal.outside_output import OutsideLines

    outside = OutsideLines(now=now)
    inbox = Inbox() if inbox is None else inbox
    bridge = Bridge(scheduler, classes, prefilled, inbox=inbox, follower=follower, store=store)
    if words:
        outside.put(Stream.STDOUT, words)
    zone_trouble = take_zone_warning()
    served: list[Server] = []

    def last_words() -> str:
        from taskkit_tui.viewmodel.services import who_watches

        watching = [who for server in served for who in server.watchers()]
        return f"{who_watches(watching)} this scheduler too; its tasks end now" if watching else ""

    return _show(
        bridge,
        target,
        outside=outside,
        read_only=read_only,
        tour=tour,
        notices=(
            *notices,
            *(() if zone_trouble is None else (harmless(zone_trouble),)),
            *(store.notices if store is not None else ()),
        ),
        after_paint=partial(_serve, scheduler, target, classes, store, inbox, served) if serves else None,
        last_words=last_words,
    )


def _serve(
    scheduler: Scheduler,
    target: str,
    classes: Sequence[type[Task]],
    store: Store | None,
    inbox: Inbox,
    served: list[Server],
) -> None:
    """Let other dashboards and commands of this user see and control what runs here; add the server."""
    from taskkit.remote.names import name_of_target
    from taskkit.remote.serving import is_served, serve
    from taskkit_tui.backend import Notice

    if not is_served(scheduler):
        server = serve(scheduler, name_of_target(target), target=target, task_classes=classes, store=store)
        server.on_notice = lambda text: inbox.add_notice(Notice(harmless(text)))
        served.append(server)


def _show(
    backend: Backend,
    key: str,
    *,
    outside: OutsideLines,
    read_only: bool,
    tour: bool = False,
    notices: Sequence[str] = (),
    after_paint: Callable[[], object] | None = None,
    last_words: Callable[[], str],
) -> int:
    """Show a scheduler until a person leaves. Return the exit status.

    Args:
        backend: The scheduler.
        key: What the settings of the screen are saved under.
        outside: The source of lines that no run wrote.
        read_only: Refuse every command.
        tour: Show the tour.
        notices: Warnings to show on the screen.
        after_paint: Called once after the first paint.
        last_words: Returns what to print after leaving; called before the scheduler is stopped or left.
    """
    # Imported only now: the error of a wrong target comes in a tenth of the time that Textual takes to load.
    set_frame_rate()
    from taskkit_tui.app import TaskkitApp
    from taskkit_tui.keys.bindings import KEY_CONTEXTS
    from taskkit_tui.keys.keymap import keymap_path, read_keymap
    from taskkit_tui.settings import SettingsFile, settings_path
    from taskkit_tui.terminal.run_app import run_in_terminal

    keymap, wrong_keys = read_keymap(keymap_path(), KEY_CONTEXTS)
    kind: type[TaskkitApp] = TaskkitApp
    if tour:
        from taskkit_tui.tour import TouredApp

        kind = TouredApp
    app = kind(
        backend,
        read_only=read_only,
        outside=outside,
        settings_file=SettingsFile(settings_path(), key),
        keymap=keymap,
        notices=(*wrong_keys, *notices),
        after_paint=after_paint,
    )
    words: list[str] = []

    def stop(timeout: float) -> Sequence[str]:
        if not words:
            words.append(last_words())
        return backend.close(timeout)

    status = run_in_terminal(app, on_line=outside.put, stop=stop, is_quiet=app.is_quiet)
    if words and words[0]:
        print(f"taskkit-tui: {words[0]}", file=sys.stderr)
    return status


def _refuse(reason: str) -> int:
    for line in reason.split("\n"):
        print(f"taskkit-tui: {line}", file=sys.stderr)
    return USAGE_ERROR
