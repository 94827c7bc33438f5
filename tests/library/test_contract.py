"""The rules that docstrings and tests name are those of `docs/contract.md`."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
RULES = {rule for line in CONTRACT.splitlines() for rule in re.findall(r"\b[ORT]\d\b", line)}
SECTIONS = set(re.findall(r"^## (\d+)\. ", CONTRACT, re.MULTILINE))


@pytest.mark.parametrize("folder", ["taskkit", "tests"])
def test_every_rule_and_section_that_is_named_is_there(folder: str) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py")))
    docstrings = "\n".join(re.findall(r'"""(.*?)"""', text, re.DOTALL))

    named = set(re.findall(r"\b[ORT]\d\b", docstrings))
    sections = set(re.findall(r"\b[Ss]ection (\d+)\b", docstrings))

    assert named
    assert sections
    assert named <= RULES
    assert sections <= SECTIONS


def test_the_rules_are_numbered_without_a_gap() -> None:
    for letter, last in (("R", 8), ("T", 9), ("O", 8)):
        assert {rule for rule in RULES if rule[0] == letter} == {f"{letter}{n}" for n in range(1, last + 1)}
