"""What the command line says of the demo: its clock, its tour, and what does not go together."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from pty_screen import PtyScreen

from taskkit import Stream
from taskkit.store import PersistentScheduler
from taskkit_tui import cli
from taskkit_tui.terminal.outside_output import OutsideLines

COMMAND = Path(sys.executable).with_name("taskkit-tui")


def refusal(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as leaving:
        cli.main(arguments)
    assert leaving.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("typed", ["0", "-1", "nan", "inf", "1001", "", "fast", "1e999", "\x1b[2J"])
def test_a_speed_that_nobody_could_follow_is_refused_in_words(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refusal([f"--speed={typed}"], capsys)
    assert f"argument --speed: must be a number more than 0 and up to 1000, not {typed!r}" in told
    assert "\x1b" not in told


@pytest.mark.parametrize(("typed", "speed"), [("60", 60), ("0.5", 0.5), ("1000", 1000)])
def test_a_speed_is_a_number_of_times(typed: str, speed: float) -> None:
    assert cli.build_parser().parse_args(["--speed", typed]).speed == speed


@pytest.mark.parametrize("option", ["--speed=60", "--tour"])
def test_what_is_for_the_demo_goes_with_no_target(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(["some:target", option], capsys)
    assert f"{option.partition('=')[0]} is for the demo, which runs without a TARGET" in told


def test_a_tour_of_what_is_refused_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--read-only refuses it" in refusal(["--tour", "--read-only"], capsys)


def demo(folder: Path, *options: str, columns: int = 120, rows: int = 36) -> PtyScreen:
    homes = {name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    command = [str(COMMAND), "--folder", str(folder / "demo"), *options]
    return PtyScreen(command, columns=columns, rows=rows, environment=homes, folder=folder)


def test_what_no_run_wrote_has_the_time_of_the_clock_as_well() -> None:
    outside = OutsideLines(now=lambda: 5.0)
    outside.put(Stream.STDOUT, "from elsewhere")
    assert [line.time for line in outside.take()[0]] == [5.0]


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def test_at_sixty_times_the_speed_countdowns_header_and_log_run_as_fast(tmp_path: Path) -> None:
    """An hour of the demo in a minute: so there are some minutes in the log before long."""

    def shown() -> tuple[int | None, int | None]:
        """The minutes that the header and the last line of the log tell."""
        header = re.search(r"(\d\d):(\d\d):\d\d\s*$", screen.text.partition("\n")[0])
        log = re.findall(r"^│ \d\d:(\d\d):\d\d\.\d\d\d", screen.text, re.MULTILINE)
        return (int(header[2]) if header else None), (int(log[-1]) if log else None)

    with demo(tmp_path, "--speed", "60") as screen:
        screen.wait_for("Scheduled", "heartbeat: it is")
        begun = shown()
        screen.wait_until(
            lambda: all(
                now is not None and before is not None and (now - before) % 60 >= 3
                for now, before in zip(shown(), begun, strict=True)
            ),
            "three minutes' passing",
        )
        screen.press("ctrl+c")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def first_found(text: str) -> str:
    """The first entry that the palette shows; empty before there is one."""
    below = text.partition("🔎")[2].splitlines()[1:]
    return next((line.strip() for line in below if line.strip()), "")


def test_the_tour_of_the_demo_is_taken_from_the_first_step_to_the_last(tmp_path: Path) -> None:
    """By the palette, which finds a task wherever it is; some keys of the steps themselves."""

    def choose(words: str) -> None:
        screen.press(":")
        screen.wait_for("Search for commands")
        screen.press(words)
        # What is found for a part of the words may come first until all of them are looked for.
        screen.wait_until(lambda: first_found(screen.text) == words, f"finding {words}")
        screen.press("enter")

    with demo(tmp_path, "--tour", columns=80, rows=24) as screen:
        screen.wait_for("1/8 Watch growing period", "^t ends the tour")
        screen.press("\x0e")
        screen.wait_for("2/8 Select growing period, press p")
        choose("Slow down growing period")
        screen.wait_for("3/8 Press u")
        screen.press("u")
        screen.wait_for("4/8 Press 3, select rebuild site", " again")
        choose("Run rebuild site")
        screen.wait_for("5/8 Select long haul")
        screen.press("2")
        choose("Stop long haul")
        screen.wait_for("6/8 Select flaky feed", "asked to stop: left off")
        choose("Details of flaky feed")
        screen.wait_for("flaky feed is")
        screen.press("escape")
        screen.wait_for("7/8 Press l on a task")
        screen.press("1", "l")
        screen.wait_for("8/8 That is all")
        screen.press("\x14")
        screen.wait_until(lambda: "8/8" not in screen.text, "the end of the tour")
        screen.press("ctrl+c")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before


def test_the_demo_takes_no_state_of_other_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shop.sqlite"
    with PersistentScheduler(path) as scheduler:
        scheduler.add_periodic_task(None, 3600, lambda: None, "pay the bills")
    before = path.read_bytes()
    monkeypatch.setattr(cli, "terminal_trouble", lambda: None)

    assert cli.main(["--state", str(path), "--folder", str(tmp_path / "site")]) == 2
    assert capsys.readouterr().err == (
        f"taskkit-tui: {path} is not the state of the demo: also name the TARGET that it belongs to\n"
    )
    assert path.read_bytes() == before
