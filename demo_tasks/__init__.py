"""Demo tasks: small examples to read and to watch, one idea a file.

Read them in this order:

1. The basics: `heartbeat`, `simple`, `growing_period`, `long_haul`, `page_generator`, `rebuild_site`,
   `crawl`, `flaky`.
2. Tasks that tidy up, tested without waiting: `visitors`, `session_sweeper`.
3. Tasks that work together on one database: `stories`, `commenter`, `dead_stories`, `story_page`,
   `comment_feed`, `news_collector` with `feeds`, `mail_reminder`.
4. `program`, which gives each task its name and its schedule.
"""

from demo_tasks.commenter import Commenter
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
from demo_tasks.program import add_demo_tasks, make_scheduler, proposals
from demo_tasks.rebuild_site import RebuildSite
from demo_tasks.session_sweeper import SessionSweeper
from demo_tasks.simple import SimpleTask
from demo_tasks.story_page import StoryPage
from demo_tasks.visitors import Visitors

task_classes = [
    PageGenerator,
    NewsCollector,
    MailReminder,
    SimpleTask,
    Heartbeat,
    GrowingPeriod,
    LongHaul,
    RebuildSite,
    SessionSweeper,
    Visitors,
    Flaky,
]
"""The classes that the dashboard's form for a new task offers, the most useful first."""

__all__ = [
    "Commenter",
    "DeadStories",
    "Flaky",
    "GrowingPeriod",
    "Heartbeat",
    "LongHaul",
    "MailReminder",
    "Mandelbrot",
    "NewsCollector",
    "NightlyReport",
    "OldImport",
    "PageGenerator",
    "RebuildSite",
    "SessionSweeper",
    "SimpleTask",
    "StoryPage",
    "Visitors",
    "add_demo_tasks",
    "make_scheduler",
    "proposals",
    "task_classes",
]
