"""Tasks worth watching, and worth reading as examples: one idea a file.

A good order to read them in: `heartbeat`, `growing_period`, `long_haul`, `page_generator`, `crawl`, `flaky`;
then the story that several tasks tell together: `stories`, `commenter`, `dead_stories`, `story_page`; at
last `program`, which gives each of them its name and its schedule.
"""

from demo_tasks.commenter import Commenter
from demo_tasks.dead_stories import DeadStories
from demo_tasks.flaky import Flaky
from demo_tasks.growing_period import GrowingPeriod
from demo_tasks.heartbeat import Heartbeat
from demo_tasks.long_haul import LongHaul
from demo_tasks.nightly_report import NightlyReport
from demo_tasks.old_import import OldImport
from demo_tasks.page_generator import PageGenerator
from demo_tasks.program import add_demo_tasks, make_scheduler
from demo_tasks.rebuild_site import RebuildSite
from demo_tasks.session_sweeper import SessionSweeper
from demo_tasks.story_page import StoryPage
from demo_tasks.visitors import Visitors

__all__ = [
    "Commenter",
    "DeadStories",
    "Flaky",
    "GrowingPeriod",
    "Heartbeat",
    "LongHaul",
    "NightlyReport",
    "OldImport",
    "PageGenerator",
    "RebuildSite",
    "SessionSweeper",
    "StoryPage",
    "Visitors",
    "add_demo_tasks",
    "make_scheduler",
]
