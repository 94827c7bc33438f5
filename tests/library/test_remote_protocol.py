"""The protocol of served schedulers: lines and limits, with whatever bytes the other side sends."""

from __future__ import annotations

from contextlib import suppress
from math import inf, isnan, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskkit.remote.errors import ProtocolError, VersionError
from taskkit.remote.protocol import MOST_NESTED, LineReader, common_version, decode, encode

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters())
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
)


@given(st.dictionaries(st.text(), VALUES))
@example({"number": inf, "other": -inf})
@example({"~": "inf"})
@example({"a": {"~": {"~": [inf, "~"]}}})
@example({"surrogate": "\ud800", "line ends": "\n\r\u2028\x85\0"})
def test_whatever_is_sent_arrives(message: dict[str, object]) -> None:
    line = encode(message)

    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert line.isascii()
    assert decode(line[:-1]) == message


def test_what_is_no_number_arrives_as_such() -> None:
    assert isnan(decode(encode({"lateness": nan})[:-1])["lateness"])  # type: ignore[arg-type]


@given(st.binary())
@example(b"GET / HTTP/1.1")
@example(b"[1]")
@example(b'{"a":NaN}')
@example(b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}")
@example(b'{"~":5}')
@example(b'{"a":{"~":"seven"}}')
@example(b'{"a":{"~":[[["unhashable"],1]]}}')
@example(b'{"a":' + b"9" * 5_000 + b"}")
def test_what_is_no_message_is_refused_in_words(line: bytes) -> None:
    with suppress(ProtocolError):
        assert isinstance(decode(line, most_nested=MOST_NESTED), dict)


def test_a_request_is_not_nested_deeper_than_the_limit() -> None:
    deepest = b'{"a":' + b"[" * (MOST_NESTED - 1) + b"]" * (MOST_NESTED - 1) + b"}"

    decode(deepest, most_nested=MOST_NESTED)
    decode(b'{"a":"' + b"[" * 1000 + b'\\"]"}', most_nested=MOST_NESTED)
    with pytest.raises(ProtocolError, match="deeper than 32"):
        decode(b'{"b":[' + deepest + b"]}", most_nested=MOST_NESTED)


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)), st.data())
def test_lines_are_whole_however_they_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    reader = LineReader(1000)

    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [line for piece in pieces for line in reader.feed(piece)] == lines


@pytest.mark.parametrize("pieces", [[b"12345678901"], [b"123456", b"78901"], [b"12345678901\n"]])
def test_a_line_that_is_too_long_is_refused_before_it_ends(pieces: list[bytes]) -> None:
    reader = LineReader(10)
    for piece in pieces[:-1]:
        assert reader.feed(piece) == []

    with pytest.raises(ProtocolError, match="longer than 10 bytes"):
        reader.feed(pieces[-1])


def test_the_newest_common_version_is_spoken() -> None:
    assert common_version(1, 1) == 1
    assert common_version(1, 7) == 1


@pytest.mark.parametrize(
    ("oldest", "newest", "remedy"),
    [(2, 3, "upgrade taskkit here"), (-1, 0, "upgrade taskkit in the service")],
)
def test_without_a_common_version_both_are_named(oldest: int, newest: int, remedy: str) -> None:
    with pytest.raises(VersionError, match=f"{oldest} to {newest}.*{remedy}"):
        common_version(oldest, newest)


@pytest.mark.parametrize("versions", [(None, 1), ("1", 1), (1, True), (1.0, 2)])
def test_versions_are_whole_numbers(versions: tuple[object, object]) -> None:
    with pytest.raises(ProtocolError):
        common_version(*versions)
