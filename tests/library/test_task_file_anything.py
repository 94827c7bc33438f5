"""Whatever stands in a file of tasks, it is read or refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskkit import TaskSpec
from taskkit.taskfile import TaskFileError, example_text, read_task_file
from taskkit.words.plain_text import harmless

WORDS = (
    *('[tasks."a b"]', "[tasks.b]", "[[tasks.b]]", "[tasks]", "tasks.c", "run", "args", "command", "env"),
    *("every", "daily", "cron", "at", "on_demand", "timezone", "timeout", "retries", "enabled", "max_runs"),
    *(" = ", "\n", ".", "{", "}", "[", "]", ", ", '"', "'", '"""', "#", "\\", "\\u0000", "=", " ", "\r\n"),
    *("1", "-5", "1e999", "nan", "true", "false", "2030-01-01", "03:30:00", "2030-01-01T03:30:00Z", "0xff"),
    *('"90s"', '"03:30"', '"* * * * *"', '"0 0 31 2 *"', '"Europe/Berlin"', '"a.b:C"', '"²"', '"1e5 h"', "é"),
)


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(WORDS), max_size=40).map("".join),
        st.builds(
            lambda lines, at, more: "\n".join([*lines[:at], more, *lines[at:]]),
            st.just(example_text().splitlines()),
            st.integers(0, 70),
            st.lists(st.sampled_from(WORDS), max_size=8).map("".join),
        ),
        st.builds(
            lambda key, value: f'[tasks.t]\ncommand = "x"\n{key} = {value}',
            st.sampled_from(WORDS),
            st.one_of(
                st.sampled_from(WORDS), st.text(alphabet="0123456789* ,-/LW#@²", max_size=20).map(repr)
            ),
        ),
    )
)
@example("a = 0x" + "f" * 5000)
def test_whatever_a_file_holds_only_its_own_error_is_raised(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        file = read_task_file(path)
    except TaskFileError as error:
        problems = error.problems
    else:
        assert all(isinstance(spec, TaskSpec) for spec in file.specs)
        return
    assert problems
    assert all(str(problem) == harmless(str(problem)) for problem in problems)
    lines = text.count("\n") + 1
    assert all(problem.line is None or 1 <= problem.line <= lines for problem in problems)
