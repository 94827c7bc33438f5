"""A function as a task: `current_run()` gives it what a `Task` finds on itself, such as `progress()`."""

import re
from pathlib import Path
from typing import Final

from taskkit import current_run

LINK: Final = re.compile(r'href="([^":]+)"')
"""A link within the site: a link to elsewhere has a colon, as in `https://`."""


def crawl(site: Path, seconds_per_page: float = 2.0) -> str:
    """Read every page in a folder, and print the broken links.

    Returns:
        A short text, which becomes the result of the run.
    """
    run = current_run()
    pages = sorted(site.glob("*.html"))
    broken = 0
    for done, page in enumerate(pages):
        run.progress(done, len(pages), page.name)
        if not run.sleep(seconds_per_page):  # a polite crawler waits between pages
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
    except FileNotFoundError:  # a story came back to life meanwhile, and its page was removed
        return ""
