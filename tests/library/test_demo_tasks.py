"""The demo's tasks, on a manual clock: what they really write, remove, mark and demand."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo_tasks import (
    GrowingPeriod,
    PageGenerator,
    add_demo_tasks,
    make_scheduler,
    proposals,
    task_classes,
)
from demo_tasks.pages import write_page
from demo_tasks.stories import Stories
from demo_tasks.writing import write_atomically
from taskkit import (
    OutcomeKind,
    OutputWritten,
    Progress,
    RunProgressed,
    Scheduler,
    Task,
    constructor_parameters,
)
from taskkit.testing import InlineExecutor, ManualClock

NOON = 1_000_000_000.0
"""Epoch seconds, in September 2001."""

Printed = dict[str, list[str]]
"""Task name → the lines that it has printed so far."""

NAMES = {
    "heartbeat",
    "growing period",
    "PageGenerator for static1.html",
    "PageGenerator for static2.html",
    "PageGenerator for static3.html",
    "long haul",
    "crawl",
    "flaky feed",
    "story page",
    "rebuild site",
    "dead stories",
    "commenter",
    "visitors",
    "session sweeper",
    "first backup",
    "nightly report",
    "old import",
    "comment feed",
    "news collector",
    "mail reminder",
    "mandelbrot",
    "only once",
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def scheduler(clock: ManualClock, tmp_path: Path) -> Iterator[Scheduler]:
    with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
        add_demo_tasks(scheduler, tmp_path, clock.time, computing="thread")
        yield scheduler


@pytest.fixture
def printed(scheduler: Scheduler) -> Printed:
    lines: Printed = {}

    def keep(event: object) -> None:
        if isinstance(event, OutputWritten):
            lines.setdefault(event.name, []).extend(line.text for line in event.lines)

    scheduler.subscribe(keep)
    return lines


def only(scheduler: Scheduler, *names: str) -> None:
    """Unregister every other task."""
    for name in NAMES - set(names):
        assert scheduler.unregister_task(name)


def test_the_demo_registers_all_its_tasks_and_starts_nothing(tmp_path: Path) -> None:
    scheduler = make_scheduler(tmp_path)

    assert {*scheduler.scheduled, *scheduler.on_demand} == NAMES
    assert set(scheduler.on_demand) == {"story page", "rebuild site", "only once"}
    assert scheduler.scheduled["mandelbrot"].executor == "process"
    assert not scheduler.is_running
    assert not scheduler.running
    scheduler.stop()


def test_a_second_demo_in_the_same_folder_tells_no_story_twice(tmp_path: Path) -> None:
    for _ in range(2):
        make_scheduler(tmp_path).stop()

    titles = [story.title for story in Stories(tmp_path / "stories.db").all()]
    assert len(titles) == len(set(titles)) == 6


def test_an_hour_of_the_demo_fails_nowhere_but_in_the_flaky_feed(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    clock.advance(3_600)

    bad = {
        handle.name: handle.last_outcome.traceback
        for handle in [*scheduler.scheduled.values(), *scheduler.on_demand.values()]
        if handle.last_outcome is not None and handle.last_outcome.kind is not OutcomeKind.SUCCEEDED
    }
    assert bad.keys() <= {"flaky feed"}, bad


def test_the_heartbeat_prints_its_name_and_the_time(
    scheduler: Scheduler, clock: ManualClock, printed: Printed
) -> None:
    only(scheduler, "heartbeat")

    clock.advance(4)

    assert len(printed["heartbeat"]) == 3
    assert all(line.startswith("heartbeat: it is ") for line in printed["heartbeat"])
    assert printed["heartbeat"][0][-2:] != printed["heartbeat"][1][-2:]


def test_the_growing_period_grows_by_two_seconds_and_starts_over(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    only(scheduler, "growing period")
    periods = []
    for _ in range(60):
        clock.advance(2)
        periods.append(scheduler.scheduled["growing period"].period)

    changes = [period for period, before in zip(periods, [None, *periods], strict=False) if period != before]
    assert changes[:10] == [6, 8, 10, 12, 14, 16, 18, 20, 4, 6]


def test_a_growing_period_without_a_period_says_so(scheduler: Scheduler, printed: Printed) -> None:
    scheduler.add_on_demand_task(GrowingPeriod(), "not periodic")

    assert scheduler.demand_task("not periodic")

    assert printed["not periodic"] == ["no period to lengthen: this handle is not periodic"]


def test_three_pages_are_written_each_at_its_own_period(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path, printed: Printed
) -> None:
    only(scheduler, *(f"PageGenerator for static{number}.html" for number in (1, 2, 3)))

    clock.advance(179)

    for number, runs in ((1, 6), (2, 4), (3, 3)):
        name = f"PageGenerator for static{number}.html"
        page = (tmp_path / "site" / f"static{number}.html").read_text()
        assert f"by {name}." in page
        assert printed[name] == [f"wrote static{number}.html"] * runs


def test_the_feed_fails_every_third_time_with_a_traceback_and_is_tried_again(
    scheduler: Scheduler, clock: ManualClock, printed: Printed
) -> None:
    only(scheduler, "flaky feed")
    clock.advance(24)

    outcome = scheduler.scheduled["flaky feed"].last_outcome
    assert outcome is not None
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.exception == "ConnectionError: feed is down"
    assert outcome.traceback is not None
    assert "ParseError" in outcome.traceback
    assert scheduler.scheduled["flaky feed"].retry is not None

    clock.advance(6)

    outcome = scheduler.scheduled["flaky feed"].last_outcome
    assert outcome is not None
    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert printed["flaky feed"].count("Webware 3 is out") == 3


def test_a_quiet_story_dies_gets_its_page_and_comes_back_with_a_comment(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path, printed: Printed
) -> None:
    only(scheduler, "dead stories", "story page", "commenter")
    stories = Stories(tmp_path / "stories.db", clock.time)

    for _ in range(60):
        clock.advance(15)
        dead = {f"story-{story.id}.html" for story in stories.all() if story.dead}
        assert {page.name for page in (tmp_path / "site").glob("*.html")} == dead

    deaths = sum(line.startswith("dead: ") for line in printed["dead stories"])
    returns = sum(line.startswith("back to life: ") for line in printed["dead stories"])
    assert deaths > 10
    assert deaths - returns == len(dead)
    assert any(line.startswith("removed story-") for line in printed["story page"])


def test_no_story_page_is_demanded_while_nothing_changes(scheduler: Scheduler, clock: ManualClock) -> None:
    only(scheduler, "dead stories", "story page")

    clock.advance(3_600)

    assert scheduler.on_demand["story page"].run_count == 1  # all six died at once, and stayed dead


def test_the_sweeper_removes_the_stale_sessions_and_no_others(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path, printed: Printed
) -> None:
    clock.advance(600)

    assert "swept 0 of 4 sessions" in printed["session sweeper"]  # the first time nobody is stale yet
    left = list((tmp_path / "sessions").glob("*.json"))
    assert left
    assert all(clock.time() - session.stat().st_mtime <= 80 for session in left)  # stale_after + its period
    assert any(not line.startswith("swept 0 of ") for line in printed["session sweeper"])
    assert any(line.endswith(" is back") for line in printed["visitors"])


def test_the_long_haul_tells_how_far_it_is_and_gets_through(
    scheduler: Scheduler, clock: ManualClock, printed: Printed
) -> None:
    only(scheduler, "long haul")
    told: list[Progress] = []
    scheduler.subscribe(
        lambda event: told.append(event.progress) if isinstance(event, RunProgressed) else None
    )

    clock.advance(29)

    assert [progress.done for progress in told] == list(range(25))
    assert {progress.total for progress in told} == {24}

    outcome = scheduler.scheduled["long haul"].last_outcome
    assert outcome is not None
    assert outcome.duration == 24
    assert printed["long haul"] == ["hauled 24 blocks"]


def test_the_long_haul_stops_between_two_blocks_when_asked_and_says_where(
    scheduler: Scheduler, clock: ManualClock, printed: Printed
) -> None:
    only(scheduler, "long haul")

    def stop_it(event: object) -> None:
        if isinstance(event, RunProgressed) and event.progress.message == "block 4":
            assert scheduler.stop_task("long haul")

    scheduler.subscribe(stop_it)
    clock.advance(10)

    outcome = scheduler.scheduled["long haul"].last_outcome
    assert outcome is not None
    assert outcome.kind is OutcomeKind.STOPPED
    assert outcome.duration == 3
    assert printed["long haul"] == ["asked to stop: left off at block 4 of 24"]


def test_the_crawl_names_the_links_that_lead_nowhere_until_the_site_is_rebuilt(
    scheduler: Scheduler, clock: ManualClock, printed: Printed
) -> None:
    only(scheduler, "crawl", "PageGenerator for static1.html", "rebuild site")
    clock.advance(26)

    assert printed["crawl"] == ["static1.html: no page index.html"]
    outcome = scheduler.scheduled["crawl"].last_outcome
    assert outcome is not None
    assert outcome.result == "pages: 1, broken links: 1"

    assert scheduler.demand_task("rebuild site")
    clock.advance(40)

    assert printed["crawl"] == ["static1.html: no page index.html"]


def test_the_crawl_does_not_follow_links_that_leave_the_site(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path, printed: Printed
) -> None:
    only(scheduler, "crawl")
    write_page(tmp_path / "site" / "index.html", "Away", '<a href="https://stories.example/3#1">away</a>')

    clock.advance(26)

    outcome = scheduler.scheduled["crawl"].last_outcome
    assert outcome is not None
    assert outcome.result == "pages: 1, broken links: 0"


def test_the_site_is_rebuilt_under_the_title_that_the_run_is_given(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path
) -> None:
    clock.advance(5)

    assert scheduler.demand_task("rebuild site", {"title": "Pages & more", "newest_first": True})

    assert scheduler.demand_task("rebuild site", {"title": "Pages & more"})

    index = (tmp_path / "site" / "index.html").read_text()
    assert "<h1>Pages &amp; more</h1>" in index
    assert '<li><a href="static2.html">' in index
    assert '<li><a href="index.html">' not in index


def test_the_backup_is_made_once_and_holds_the_stories(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path
) -> None:
    clock.advance(91)

    assert scheduler.handle("first backup") is None
    assert len(Stories(tmp_path / "stories.backup.db").all()) == 6


def test_the_report_is_written_every_night(scheduler: Scheduler, clock: ManualClock, tmp_path: Path) -> None:
    only(scheduler, "nightly report")

    clock.advance(2 * 86_400)

    assert scheduler.scheduled["nightly report"].run_count == 2
    assert (tmp_path / "report.txt").read_text().splitlines()[0] == "stories: 6, dead: 0"


def test_the_old_import_waits_disabled_and_takes_over_its_stories_when_enabled(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path, printed: Printed
) -> None:
    only(scheduler, "old import")
    stories = Stories(tmp_path / "stories.db", clock.time)
    clock.advance(3_600)
    assert scheduler.scheduled["old import"].disabled
    assert len(stories.all()) == 6

    assert scheduler.enable_task("old import")
    clock.advance(600)

    assert printed["old import"] == ["new stories in archive.csv: 3", "new stories in archive.csv: 0"]
    assert len(stories.all()) == 9


def test_the_picture_is_a_png_and_its_progress_goes_row_by_row(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path
) -> None:
    only(scheduler, "mandelbrot")
    rows: list[Progress] = []
    scheduler.subscribe(lambda event: rows.append(event.progress), [RunProgressed])

    clock.advance(12)

    picture = (tmp_path / "site" / "mandelbrot.png").read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    pixels = zlib.decompress(picture[41:-16])
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width, height, len(pixels)) == (60, 40, 40 * 61)
    assert len(set(pixels)) > 10
    assert [each.done for each in rows] == list(range(40))


def test_two_demos_of_the_same_minutes_print_the_same(tmp_path: Path) -> None:
    """The pictures of the dashboard rest on this."""

    def ten_minutes(folder: Path) -> list[tuple[str, str]]:
        folder.mkdir()
        clock = ManualClock(NOON)
        lines: list[tuple[str, str]] = []

        def keep(event: object) -> None:
            if isinstance(event, OutputWritten):
                lines.extend((event.name, line.text) for line in event.lines)

        with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
            scheduler.subscribe(keep)
            add_demo_tasks(scheduler, folder, clock.time, computing="thread")
            clock.advance(600)
        return lines

    first = ten_minutes(tmp_path / "one")

    assert len(first) > 300
    assert ten_minutes(tmp_path / "another, elsewhere") == first
    assert not any(str(tmp_path) in text for _, text in first)


def test_the_comments_come_by_way_of_the_feed_onto_the_page_of_news(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path
) -> None:
    only(scheduler, "commenter", "comment feed", "news collector")

    clock.advance(1_200)

    news = (tmp_path / "site" / "news.html").read_text()
    assert news.count("<li>") == 20  # the feed holds ten
    assert "“Is there more?” on “A servlet that would not stop”" in news


def test_the_reminder_is_in_the_mailbox_every_five_minutes(
    scheduler: Scheduler, clock: ManualClock, tmp_path: Path
) -> None:
    only(scheduler, "mail reminder")

    clock.advance(660)

    assert (tmp_path / "reminders.mbox").read_text().count("\nSubject: Have a look at the stories\n") == 3


def test_what_is_asked_for_only_once_is_gone_after_its_run(scheduler: Scheduler, printed: Printed) -> None:
    assert scheduler.demand_task("only once")

    (line,) = printed["only once"]
    assert line.startswith("only once 2001-09-")
    assert scheduler.handle("only once") is None


def test_the_form_of_a_new_task_offers_what_can_be_typed_the_useful_ones_first(tmp_path: Path) -> None:
    assert [each.__name__ for each in task_classes][:3] == ["PageGenerator", "NewsCollector", "MailReminder"]
    for each in task_classes:
        assert constructor_parameters(each) is not None
    page, *_ = constructor_parameters(PageGenerator) or ()
    assert page.name not in proposals(tmp_path)


@pytest.mark.parametrize("task_class", task_classes)
def test_whatever_a_form_asks_for_as_a_path_lands_in_the_folder_of_the_demo(
    task_class: type[Task], tmp_path: Path
) -> None:
    paths = [each.name for each in constructor_parameters(task_class) or () if each.type == "path"]

    assert all(proposals(tmp_path)[name].startswith(str(tmp_path)) for name in paths)


def test_a_visitor_is_never_seen_with_a_time_of_the_machines_clock(tmp_path: Path) -> None:
    """On a clock that is far from the machine's the sweeper would take it for stale."""
    write_atomically(tmp_path / "session.json", "{}", NOON)

    assert (tmp_path / "session.json").stat().st_mtime == NOON


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError, match="taken"):
        write_atomically(tmp_path / "taken", "text")

    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_page_is_whole_for_its_reader_while_it_is_written_again(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_atomically(page, "old")

    with page.open() as reader:
        write_atomically(page, "new")
        assert reader.read() == "old"

    assert page.read_text() == "new"
