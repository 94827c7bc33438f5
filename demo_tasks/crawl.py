"""A plain function is a task too: `current_run()` gives it what a `Task` finds on itself."""

import re
from pathlib import Path
from typing import Final

from taskkit import current_run

LINK: Final = re.compile(r'href="([^":]+)"')
"""One that stays on the site: what leads elsewhere has a colon after its `https`."""


def crawl(site: Path, seconds_per_page: float = 2.0) -> str:
    """Read every page of a folder, and name the links that lead nowhere.

    What it returns is the result of the run.
    """
    run = current_run()
    pages = sorted(site.glob("*.html"))
    broken = 0
    for done, page in enumerate(pages):
        run.progress(done, len(pages), page.name)
        if not run.sleep(seconds_per_page):  # a polite crawler takes its time
            return f"stopped after {done} of {len(pages)} pages"
        for link in LINK.findall(_text(page)):
            if not (site / link).exists():
                print(f"{page.name}: no page {link}")
                broken += 1
    run.progress(len(pages), len(pages))
    return f"pages: {len(pages)}, broken links: {broken}"


def _text(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except FileNotFoundError:  # a story came back to life meanwhile, and its page went
        return ""
