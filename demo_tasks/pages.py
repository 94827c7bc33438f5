"""The common frame of the demo's web pages."""

from html import escape
from pathlib import Path

from demo_tasks.writing import write_atomically

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
{body}
<p><a href="index.html">All pages</a></p>
</body>
</html>
"""


def write_page(path: Path, title: str, body: str) -> None:
    """Write one page. `title` is text, `body` is HTML."""
    write_atomically(path, PAGE.format(title=escape(title), body=body))
