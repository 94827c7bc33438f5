"""The program: it gives each demo task its name, its schedule and its policies."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import time

from demo_tasks.backup import back_up
from demo_tasks.comment_feed import write_comment_feed
from demo_tasks.commenter import Commenter
from demo_tasks.crawl import crawl
from demo_tasks.dead_stories import DeadStories
from demo_tasks.flaky import Flaky
from demo_tasks.growing_period import GrowingPeriod
from demo_tasks.heartbeat import Heartbeat
from demo_tasks.long_haul import LongHaul
from demo_tasks.mail_reminder import MailReminder
from demo_tasks.mandelbrot import Mandelbrot
from demo_tasks.news_collector import NewsCollector
from demo_tasks.nightly_report import NightlyReport
from demo_tasks.old_import import OldImport
from demo_tasks.page_generator import PageGenerator
from demo_tasks.rebuild_site import RebuildSite
from demo_tasks.session_sweeper import SessionSweeper
from demo_tasks.simple import SimpleTask
from demo_tasks.stories import Stories
from demo_tasks.story_page import StoryPage
from demo_tasks.visitors import Visitors
from demo_tasks.writing import write_atomically
from taskkit import Scheduler
from taskkit.clock import Clock

TITLES = (
    "The night the clock struck two twice",
    "A servlet that would not stop",
    "What the sweeper found",
    "Fourteen pages before breakfast",
    "The heap and the linear scan",
    "A letter to the thread that never came home",
)

ARCHIVE = """published,title
2001-03-02,Plugins and other strangers
2001-05-14,How we came to have tasks
2002-11-30,The long winter of the session store
"""

REMINDER = ("ann@stories.example", "Have a look at the stories\nSome of them are dying of silence.")
"""The address and the text of the reminder."""


def make_scheduler(folder: Path, clock: Clock | None = None) -> Scheduler:
    """Return a scheduler with all demo tasks, not started yet.

    Args:
        folder: The folder in which the tasks work; it must exist.
        clock: The scheduler's clock; that of the machine by default.
    """
    scheduler = Scheduler(clock=clock)
    add_demo_tasks(scheduler, folder, time if clock is None else clock.time)
    return scheduler


def add_demo_tasks(
    scheduler: Scheduler, folder: Path, now: Callable[[], float] = time, computing: str = "process"
) -> None:
    """Register all demo tasks.

    Args:
        scheduler: The scheduler to register them with.
        folder: The folder in which the tasks work; it must exist.
        now: Returns the time in epoch seconds, by the scheduler's clock.
        computing: The executor of the task that computes. On a `thread` it paints a small picture.
    """
    site = folder / "site"
    sessions = folder / "sessions"
    archive = folder / "archive.csv"
    feed = folder / "comments.xml"
    stories = Stories(folder / "stories.db", now)
    stories.add(TITLES)
    write_atomically(archive, ARCHIVE)
    start = now()

    scheduler.add_periodic_task(start, 2, Heartbeat(), "heartbeat")
    scheduler.add_periodic_task(start + 1, 4, GrowingPeriod(), "growing period")
    for number, period in enumerate((30, 45, 60), 1):
        page = PageGenerator(f"static{number}.html", site)
        scheduler.add_periodic_task(start + number, period, page, f"PageGenerator for static{number}.html")
    scheduler.add_periodic_task(start, 30, LongHaul(), "long haul", description="Stop it with s")
    scheduler.add_periodic_task(start + 23, 30, partial(crawl, site), "crawl", timeout=120)
    scheduler.add_periodic_task(start + 3, 10, Flaky(), "flaky feed", retries=4, retry_delay=6)

    picture = Mandelbrot(site) if computing != "thread" else Mandelbrot(site, width=60, depth=50)
    scheduler.add_periodic_task(start + 12, 60, picture, "mandelbrot", executor=computing)

    scheduler.add_on_demand_task(StoryPage(stories, site), "story page")
    scheduler.add_on_demand_task(RebuildSite(site), "rebuild site", description="Run it with a title: R")
    scheduler.add_periodic_task(start + 5, 15, DeadStories(stories, scheduler), "dead stories")
    scheduler.add_periodic_task(start + 7, 20, Commenter(stories), "commenter")

    scheduler.add_periodic_task(start + 4, 5, Visitors(sessions, now=now), "visitors")
    scheduler.add_periodic_task(start + 20, 20, SessionSweeper(sessions, now=now), "session sweeper")

    scheduler.add_timed_task(
        start + 90, partial(back_up, stories.path, folder / "stories.backup.db"), "first backup"
    )
    report = NightlyReport(stories, sessions, folder / "report.txt")
    scheduler.add_daily_task(3, 30, report, "nightly report")
    scheduler.add_periodic_task(start + 300, 300, OldImport(archive, stories), "old import")
    scheduler.disable_task("old import")

    write_comment_feed(stories, feed)  # so that the news collector finds a feed at once
    scheduler.add_periodic_task(start + 8, 20, partial(write_comment_feed, stories, feed), "comment feed")
    scheduler.add_periodic_task(start + 10, 25, NewsCollector(str(feed), folder=site), "news collector")
    reminder = MailReminder(*REMINDER, folder / "reminders.mbox")
    scheduler.add_periodic_task(start + 60, 300, reminder, "mail reminder")
    scheduler.add_on_demand_task(SimpleTask(), "only once", keep=False, description="Gone after its run")


def proposals(folder: Path) -> dict[str, str]:
    """Return default values for the form of a new task, by the name of the constructor's parameter.

    With these a page that is made in the form lies beside the demo's other pages, not in the current folder.
    """
    site = str(folder / "site")
    return {
        "folder": site,
        "site": site,
        "sessions": str(folder / "sessions"),
        "feed": str(folder / "comments.xml"),
        "mbox": str(folder / "reminders.mbox"),
    }
