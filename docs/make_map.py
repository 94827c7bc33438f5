"""Write the map of files in docs/architecture.md from the first sentence of each module's docstring.

Run it as `python docs/make_map.py`. With `--check` it changes nothing, and exits with 1 if the map is out
of date.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "architecture.md"
PACKAGES: Final = ("taskkit", "taskkit_tui", "demo_tasks")
BEGIN: Final = "<!-- map: made by docs/make_map.py -->\n```text\n"
END: Final = "```\n<!-- end of the map -->\n"
NAME_WIDTH: Final = 30
"""Columns for the names of files, indentation included."""


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring, without its full stop.

    Raises:
        ValueError: The module has no docstring.
    """
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not docstring:
        raise ValueError(f"{path} has no docstring: begin it with a sentence that says what it is for")
    paragraph = " ".join(docstring.partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".")


def folder_lines(folder: Path, depth: int) -> list[str]:
    """Return the lines of one package: itself, its modules by name, then its folders."""
    lines = [_line(f"{folder.name}/", depth, first_sentence(folder / "__init__.py"))]
    modules = (path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py")
    lines += [_line(path.name, depth + 1, first_sentence(path)) for path in modules]
    for path in sorted(folder.iterdir()):
        if (path / "__init__.py").exists():
            lines += folder_lines(path, depth + 1)
    return lines


def _line(name: str, depth: int, words: str) -> str:
    return f"{'  ' * depth + name:<{NAME_WIDTH}} {words}"


def page_with_map(page: str) -> str:
    """Return the page with its map as the code is now.

    Raises:
        ValueError: The page has no place for the map.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} needs the lines {BEGIN!r} and {END!r}")
    lines = [line for package in PACKAGES for line in folder_lines(ROOT / package, 0)]
    tree = "\n".join(lines)
    return f"{before}{BEGIN}{tree}\n{END}{after}"


def main() -> int:
    """Write the map, or check it. Returns the exit status."""
    page = PAGE.read_text(encoding="utf-8")
    made = page_with_map(page)
    if made == page:
        return 0
    if "--check" in sys.argv[1:]:
        print("docs/architecture.md: the map is out of date; run `python docs/make_map.py`")
        return 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
