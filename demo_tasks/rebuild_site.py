"""A run can be given parameters: `run_parameters` says which, `self.parameters` holds their values."""

from html import escape
from pathlib import Path
from typing import ClassVar

from demo_tasks.pages import write_page
from taskkit import Task


class RebuildSite(Task):
    """Writes the page that leads to all the others."""

    run_parameters: ClassVar = {"title": "All pages", "newest_first": False}

    def __init__(self, site: Path) -> None:
        """The folder of the pages."""
        self.site = site

    def run(self) -> None:
        """List the pages that there are, by name or by age."""
        title = str(self.parameters.get("title", "All pages"))
        pages = sorted(page for page in self.site.glob("*.html") if page.name != "index.html")
        if self.parameters.get("newest_first"):
            pages.sort(key=lambda page: page.stat().st_mtime, reverse=True)
        items = [f'<li><a href="{escape(page.name)}">{escape(page.stem)}</a></li>' for page in pages]
        write_page(self.site / "index.html", title, "\n".join(["<ul>", *items, "</ul>"]))
        print(f"wrote index.html, pages: {len(pages)}")
