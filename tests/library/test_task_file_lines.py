"""On which line each key of a file of tasks stands."""

from __future__ import annotations

import tomllib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit.taskfile import example_text
from taskkit.taskfile.line_numbers import key_lines

TRICKY = r'''# [not.a.table]
title = "a [b] = # c"   # d = 1
 "quoted \"key\" \u00e9" . bare . 'lite#ral' = 'x = """'

[ tasks . "my job" ]
one = """
[tasks.fake]
fake = "\"""" # """
two = \'\'\'
fake = 1 \'\'\'\'\'
three = [ # fake = 2
  "a", # ]
  [ 1, { hidden = 3 } ],
  """x
  y"""
]
four = { a = 1, "b c" = { d.e = [ "}", ], f = 'g' }, h = 2030-01-01 10:00:00 }
five.six = 1e3
five.seven = """\\"""

[tasks.last.inner]
key = ""
[tasks.last]
other = \'\'\'\'\'\'
[[many]]
name = 1
[[many]]
name = 2
'''.replace(r"\'", "'")


def line_of(text: str, beginning: str) -> int:
    (found,) = (number for number, line in enumerate(text.split("\n"), 1) if line.startswith(beginning))
    return found


def test_each_key_of_a_tricky_file_is_found_on_its_line() -> None:
    tomllib.loads(TRICKY)  # it is good TOML, tricky as it is
    lines = key_lines(TRICKY)

    job = ("tasks", "my job")
    four = line_of(TRICKY, "four")
    assert lines == {
        ("title",): 2,
        ('quoted "key" é',): 3,
        ('quoted "key" é', "bare"): 3,
        ('quoted "key" é', "bare", "lite#ral"): 3,
        ("tasks",): 5,
        job: 5,
        (*job, "one"): 6,
        (*job, "two"): line_of(TRICKY, "two"),
        (*job, "three"): line_of(TRICKY, "three"),
        (*job, "four"): four,
        (*job, "four", "a"): four,
        (*job, "four", "b c"): four,
        (*job, "four", "b c", "d"): four,
        (*job, "four", "b c", "d", "e"): four,
        (*job, "four", "b c", "f"): four,
        (*job, "four", "h"): four,
        (*job, "five"): line_of(TRICKY, "five.six"),
        (*job, "five", "six"): line_of(TRICKY, "five.six"),
        (*job, "five", "seven"): line_of(TRICKY, "five.seven"),
        ("tasks", "last"): line_of(TRICKY, "[tasks.last]"),
        ("tasks", "last", "inner"): line_of(TRICKY, "[tasks.last.inner]"),
        ("tasks", "last", "inner", "key"): line_of(TRICKY, "key"),
        ("tasks", "last", "other"): line_of(TRICKY, "other"),
        ("many",): TRICKY[: TRICKY.index("[[many]]")].count("\n") + 1,
        ("many", "name"): TRICKY[: TRICKY.index("[[many]]")].count("\n") + 2,
    }


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing", "a = 1", "a = 1 # no newline at the end", "[t]"])
def test_little_is_enough(text: str) -> None:
    assert set(key_lines(text)) == set(paths(tomllib.loads(text)))


def test_every_key_of_the_example_is_found_in_its_order() -> None:
    lines = key_lines(example_text())

    assert set(lines) >= set(paths(tomllib.loads(example_text())))
    inside = [line for path, line in lines.items() if len(path) == 3]
    assert all(one < other for one, other in pairwise(inside))


def test_the_scan_of_a_text_that_is_no_toml_ends_with_what_it_has_found() -> None:
    assert key_lines("[a]\nb = 1\nc = \nd = 2") == {("a",): 1, ("a", "b"): 2, ("a", "c"): 3}
    assert key_lines('"\\uD800" = 1') == {}
    assert len(key_lines("a = " + "[" * 100_000)) == 1


PLAIN = ("1", "1.5e3", "true", "nan", "2030-01-01", "2030-01-01 10:00:00", "10:00:00")
TEXTS = (
    *('"a # b = c"', "'[x]'", '""', "''", '""""""', '"""a"""""', "'''b'''''"),
    *('"""\nk = 1\n"q" ""\\""""', "'''\n[t]\n'' '''"),
)
values = st.recursive(
    st.sampled_from((*PLAIN, *TEXTS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: "[\n" + ", # ]\n".join(each) + "\n]"),
        st.lists(inner, max_size=3).map(
            lambda each: "{" + ", ".join(f"k{number} = {value}" for number, value in enumerate(each)) + "}"
        ),
    ),
    max_leaves=6,
)
keys = st.sampled_from(["a", "b-1", '"c d"', "'e#f'", '"\\u0041\\""', '""', "a.b", ' a . "x.y" '])


@given(st.lists(st.tuples(keys, values), max_size=6))
def test_each_key_of_any_file_is_found_on_the_line_where_it_was_written(each: list[tuple[str, str]]) -> None:
    text = ""
    expected = []
    for number, (key, value) in enumerate(each):
        text += f"# a = 1\n[t{number}]\n"
        expected.append(text.count("\n") + 1)
        text += f"{key} = {value}\n"
    document = tomllib.loads(text)
    lines = key_lines(text)

    for number, line in enumerate(expected):
        for path in paths(document[f"t{number}"], (f"t{number}",)):
            if len(path) == 2:
                assert lines[path] == line


def paths(table: dict[str, object], at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The keys of a document, those in arrays left out."""
    found = []
    for key, value in table.items():
        found.append((*at, key))
        if isinstance(value, dict):
            found += paths(value, (*at, key))
    return found
