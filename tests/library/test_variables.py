"""References to variables in a task file: `${NAME}` and `${NAME:-default}`."""

from __future__ import annotations

import pytest

from taskkit.process.variables import expand, has_reference

VALUES = {"A": "a", "EMPTY": "", "NESTED": "${A}"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${A}", "a"),
        ("x${A}y${A}", "xaya"),
        ("${EMPTY}", ""),
        ("${NONE:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${A:-d}", "a"),
        ("${NONE:-}", ""),
        ("${NONE:-${A}}", "${A}"),  # a default is a plain text, up to the first brace
        ("${NESTED}", "${A}"),  # values are not expanded again
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A $ $$ ${ ${} ${A-d} ${f%.*} ${1}", "$A $ $$ ${ ${} ${A-d} ${f%.*} ${1}"),
    ],
)
def test_a_reference_is_replaced_once_and_all_else_stays(text: str, expanded: str) -> None:
    assert expand("cwd", text, VALUES) == expanded
    assert has_reference(text) == (text != expanded)


def test_a_variable_that_is_not_set_is_named_with_the_remedy() -> None:
    with pytest.raises(
        ValueError, match=r"^cwd needs the variable NONE, which is not set; \$\{NONE:-…\} gives"
    ):
        expand("cwd", "${NONE}", VALUES)
