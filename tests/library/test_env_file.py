"""Files of variables: what python-dotenv reads, and what attacks the reader."""

from __future__ import annotations

import os
import re
import string
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE

from taskkit.process.env_file import MAX_BYTES, _expanded, read_env_file


def read(folder: Path, text: str | bytes, **environment: str) -> dict[str, str]:
    """Return the variables of a file with this text."""
    path = folder / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_env_file(str(path), environment)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("# only a comment\n\n   \n", {}),
        ("A=x", {"A": "x"}),
        ("A=x\r\nB=y\rC=z\n", {"A": "x", "B": "y", "C": "z"}),
        ("export A=x\nexport  B = y \n", {"A": "x", "B": "y"}),
        ("\ufeffA=x", {"A": "x"}),
        ("A=\nB= \n", {"A": "", "B": ""}),
        ("A", {}),
        ("A=x # comment\nB=x#y\nC=#y\nD= #y", {"A": "x", "B": "x#y", "C": "#y", "D": ""}),
        ("A='x # y'\nB=\"x # y\" # comment", {"A": "x # y", "B": "x # y"}),
        ('A="x\ny"\nB=z', {"A": "x\ny", "B": "z"}),
        (r'A="x\ny\t\"\\"', {"A": 'x\ny\t"\\'}),
        (r"A='x\ny\'\\'", {"A": "x\\ny'\\"}),
        (r"A=x\ny", {"A": "x\\ny"}),
        ("A=x=y\nB=a b c", {"A": "x=y", "B": "a b c"}),
        ("'A B'=x\na.b-c=y", {"A B": "x", "a.b-c": "y"}),
        ("A=first\nA=second", {"A": "second"}),
        ("A=${HOME}/x\nB=\"${A}/y\"\nC='${A}'", {"A": "/home/x", "B": "/home/x/y", "C": "${A}"}),
        ("A=${NONE}\nB=${NONE:-d}\nC=${HOME:-d}", {"A": "", "B": "d", "C": "/home"}),
        ("HOME=/new\nA=${HOME}", {"HOME": "/new", "A": "/new"}),
        ("A=$HOME\nB=$$\nC=${", {"A": "$HOME", "B": "$$", "C": "${"}),
        ("ÄÖ=ü", {"ÄÖ": "ü"}),
    ],
)
def test_it_is_read_as_python_dotenv_reads_it(tmp_path: Path, text: str, variables: dict[str, str]) -> None:
    assert read(tmp_path, text, HOME="/home") == variables


@given(
    st.dictionaries(
        st.text(string.ascii_letters + "_", min_size=1),
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r$")),
    )
)
def test_every_value_can_be_written_in_double_quotes(variables: dict[str, str]) -> None:
    lines = (
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
        for name, value in variables.items()
    )
    path = Path(os.environ["XDG_RUNTIME_DIR"], "quoted.env")
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    assert read_env_file(str(path), {}) == variables


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=x\n=secret", 2),
        ("A='secret", 1),
        ('A=x\n\nB="secret\n\n\n', 3),
        ("A='x' secret", 1),
        ("# c\r\nA secret=x", 2),
        ("A=x\0secret", 1),
    ],
)
def test_a_line_that_makes_no_sense_is_named_by_its_number_and_not_repeated(
    tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(ValueError, match=rf"\.env:{line} must ") as caught:
        read(tmp_path, text)
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.env"):
        read_env_file(str(tmp_path / "none.env"), {})


def test_what_could_block_or_flood_the_reader_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(ValueError, match="must be a regular file"):
            read_env_file(str(path), {})
    with pytest.raises(ValueError, match=r"\.env is larger than 64 KiB"):
        read(tmp_path, "A=" + "x" * MAX_BYTES)
    with pytest.raises(ValueError, match=r"\.env is not UTF-8"):
        read(tmp_path, b"A=\xff")


def test_values_that_double_with_each_line_are_stopped(tmp_path: Path) -> None:
    lines = ["A0=xxxxxxxxxx", *(f"A{n}=${{A{n - 1}}}${{A{n - 1}}}" for n in range(1, 60))]
    with pytest.raises(ValueError, match="makes the values longer than 1,048,576 characters in total"):
        read(tmp_path, "\n".join(lines))


def test_an_endless_quote_costs_no_endless_time(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be NAME=value"):
        read(tmp_path, "A='" + "\\'" * 30_000)


@given(
    st.text("a${}:-", max_size=30),
    st.dictionaries(st.sampled_from(["a", "", "aa", "${"]), st.sampled_from(["", "v"])),
)
def test_references_are_those_of_python_dotenv(text: str, known: dict[str, str]) -> None:
    reference = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
    expected = reference.sub(lambda found: known.get(found["name"]) or found["default"] or "", text)
    assert _expanded(text, known) == expected


@pytest.mark.parametrize(
    "text",
    [
        "A=\n" * 21_000,
        "".join(f"A{number}=\n" for number in range(8_000)),
        "A=x" + " " * 60_000 + "x",
        "A=" + "${" * 30_000,
        "A=" + "${" * 30_000 + ":}",
        "A=" + "${a:-" * 12_000,
    ],
    ids=["lines", "names", "spaces", "references", "colon", "defaults"],
)
def test_no_file_holds_up_the_program(tmp_path: Path, text: str) -> None:
    """The time is proportional to the size; these took up to half a minute in which no thread went on."""
    before = process_time()
    read(tmp_path, text)
    assert process_time() - before < PATIENCE / 10
