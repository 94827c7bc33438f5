"""Parameters of a run: `run_parameters` has their defaults, `self.parameters` the values of this run."""

from html import escape
from pathlib import Path
from typing import ClassVar

from demo_tasks.pages import write_page
from taskkit import Task


class RebuildSite(Task):
    """Writes the page with links to all others."""

    run_parameters: ClassVar = {"title": "All pages", "newest_first": False}

    def __init__(self, site: Path) -> None:
        """Take the folder of the pages."""
        self.site = site

    def run(self) -> None:
        """Write the list of all pages, by name or by age."""
        title = str(self.parameters.get("title", "All pages"))
        pages = sorted(page for page in self.site.glob("*.html") if page.name != "index.html")
        if self.parameters.get("newest_first"):
            pages.sort(key=lambda page: page.stat().st_mtime, reverse=True)
        items = [f'<li><a href="{escape(page.name)}">{escape(page.stem)}</a></li>' for page in pages]
        write_page(self.site / "index.html", title, "\n".join(["<ul>", *items, "</ul>"]))
        print(f"wrote index.html, pages: {len(pages)}")
