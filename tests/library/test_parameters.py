"""What a run and a constructor can be given: what forms ask, what a person types, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NewType, Optional

import pytest

from taskkit import (
    OnDemand,
    Parameter,
    ParameterType,
    Scheduler,
    Task,
    constructor_parameters,
    current_run,
    make_task,
    parse_parameter,
)
from taskkit.testing import InlineExecutor, ManualClock

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]

UserId = NewType("UserId", int)


class Colour(Enum):
    RED = "#f00"
    GREEN = "#0f0"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Elsewhere:
    """Something that nobody can type."""


def named(parameters: Sequence[Parameter] | None) -> dict[str, Parameter]:
    assert parameters is not None
    return {parameter.name: parameter for parameter in parameters}


class Everything(Task):
    def __init__(  # type: ignore[no-untyped-def]
        self,
        text: str,
        whole: int,
        number: float,
        switch: bool,
        path: Path,
        colour: Colour,
        level: Level,
        mode: Literal["fast", "slow"],
        size: Literal[1, 2] = 2,
        maybe: int | None = None,
        perhaps: Optional[str] = None,  # noqa: UP045 - as many still write it
        either: str | Path = "here",
        digits: int | float = 0,
        user: UserId = UserId(5),
        anything: Any = None,
        unhinted="as it is",
        unresolved: Unknown = 3,
        *rest: str,
        last: bool = True,
        shade: Colour = Colour.GREEN,
        pure: PurePosixPath = PurePosixPath("/tmp"),  # noqa: B008
        unread: Elsewhere | None = None,
        **more: str,
    ) -> None: ...


class TestWhatAConstructorTakes:
    @pytest.mark.parametrize(
        "parameter",
        [
            Parameter("text", ParameterType.STR, required=True),
            Parameter("whole", ParameterType.INT, required=True),
            Parameter("number", ParameterType.FLOAT, required=True),
            Parameter("switch", ParameterType.BOOL, required=True),
            Parameter("path", ParameterType.PATH, required=True),
            Parameter("colour", ParameterType.CHOICE, ("RED", "GREEN"), required=True),
            Parameter("level", ParameterType.CHOICE, ("LOW", "HIGH"), required=True),
            Parameter("mode", ParameterType.CHOICE, ("fast", "slow"), required=True),
            Parameter("size", ParameterType.CHOICE, ("1", "2"), "2"),
            Parameter("maybe", ParameterType.INT),
            Parameter("perhaps", ParameterType.STR),
            Parameter("either", ParameterType.PATH, (), "here"),
            Parameter("digits", ParameterType.FLOAT, (), 0),
            Parameter("user", ParameterType.INT, (), 5),
            Parameter("anything", ParameterType.STR),
            Parameter("unhinted", ParameterType.STR, (), "as it is"),
            Parameter("unresolved", ParameterType.INT, (), 3),
            Parameter("last", ParameterType.BOOL, (), True),
            Parameter("shade", ParameterType.CHOICE, ("RED", "GREEN"), "GREEN"),
            Parameter("pure", ParameterType.PATH, (), "/tmp"),
        ],
        ids=lambda parameter: parameter.name,
    )
    def test_is_read_from_its_hints_and_defaults(self, parameter: Parameter) -> None:
        assert named(constructor_parameters(Everything))[parameter.name] == parameter

    def test_parameters_come_in_order_without_those_that_cannot_be_typed(self) -> None:
        names = [*named(constructor_parameters(Everything))]
        assert names[:3] == ["text", "whole", "number"]
        assert not {"rest", "more", "unread", "self"} & {*names}

    def test_may_be_nothing(self) -> None:
        assert constructor_parameters(Task) == ()

    def test_may_be_what_a_base_class_takes(self) -> None:
        class Special(Everything):
            pass

        assert constructor_parameters(Special) == constructor_parameters(Everything)

    def test_may_be_the_fields_of_a_dataclass(self) -> None:
        @dataclass
        class Page(Task):
            filename: str
            words: list[str] = field(default_factory=list)
            title: str = field(default="All pages", kw_only=True)

        assert constructor_parameters(Page) == (
            Parameter("filename", ParameterType.STR, required=True),
            Parameter("title", ParameterType.STR, (), "All pages"),
        )

    def test_there_are_none_if_a_required_one_cannot_be_typed(self) -> None:
        class Report(Task):
            def __init__(self, filename: str, elsewhere: Elsewhere) -> None: ...

        assert constructor_parameters(Report) is None

    def test_there_are_none_without_a_signature(self) -> None:
        class Odd(Task):
            __signature__ = "none"

        assert constructor_parameters(Odd) is None


class TestWhatARunCanBeGiven:
    @staticmethod
    def told(scheduler: Scheduler, task: Any) -> tuple[Parameter, ...]:
        scheduler.add_task(OnDemand(), task, "it")
        details = scheduler.describe("it")
        assert details is not None
        return details.parameters

    def test_is_what_the_task_declares(self, scheduler: Scheduler) -> None:
        class Declares(Task):
            run_parameters: ClassVar = {
                "title": "All pages",
                "newest_first": False,
                "count": int,
                "site": Path,
                "colour": Colour,
                "shade": Colour.RED,
                "mode": Literal["fast", "slow"],
                "limit": int | None,
                "words": ["a"],
            }

            def __init__(self, filename: str) -> None: ...

        assert self.told(scheduler, Declares("a")) == (
            Parameter("title", ParameterType.STR, (), "All pages"),
            Parameter("newest_first", ParameterType.BOOL, (), False),
            Parameter("count", ParameterType.INT, required=True),
            Parameter("site", ParameterType.PATH, required=True),
            Parameter("colour", ParameterType.CHOICE, ("RED", "GREEN"), required=True),
            Parameter("shade", ParameterType.CHOICE, ("RED", "GREEN"), "RED"),
            Parameter("mode", ParameterType.CHOICE, ("fast", "slow"), required=True),
            Parameter("limit", ParameterType.INT, required=True),
            Parameter("words", ParameterType.STR),
        )

    def test_else_it_is_what_the_constructor_takes_with_what_it_took(self, scheduler: Scheduler) -> None:
        class Page(Task):
            def __init__(self, filename: str, folder: Path, elsewhere: Elsewhere, count: int = 3) -> None:
                self.filename = filename
                self.folder = folder
                self.elsewhere = elsewhere
                self._count = count

        assert self.told(scheduler, Page("a.html", Path("/site"), Elsewhere(), 5)) == (
            Parameter("filename", ParameterType.STR, (), "a.html", required=True),
            Parameter("folder", ParameterType.PATH, (), "/site", required=True),
            Parameter("count", ParameterType.INT, (), 3),
        )

    def test_is_nothing_where_the_task_says_so(self, scheduler: Scheduler) -> None:
        class Declares(Task):
            run_parameters: ClassVar = {}

            def __init__(self, filename: str) -> None: ...

        assert self.told(scheduler, Declares("a")) == ()

    def test_is_nothing_for_a_callable(self, scheduler: Scheduler) -> None:
        assert self.told(scheduler, lambda title="All pages": None) == ()

    @pytest.mark.parametrize("broken", ["property", "exit", "value"])
    def test_is_nothing_where_the_task_raises_when_it_is_looked_at(
        self, scheduler: Scheduler, broken: str
    ) -> None:
        class Choice(Enum):
            ONE = 1

            @property
            def name(self) -> str:  # type: ignore[override]
                raise RuntimeError("no name")

        class Broken:
            @property
            def run_parameters(self) -> dict[str, object]:
                if broken == "property":
                    raise RuntimeError("no parameters")
                if broken == "exit":
                    raise SystemExit("no parameters")
                return {"one": Choice.ONE}

            def __call__(self) -> None: ...

        scheduler.add_on_demand_task(Broken(), "it")
        details = scheduler.describe("it")

        assert details is not None
        assert details.parameters == ()

    def test_no_code_of_the_task_is_run_to_find_it_out(self, scheduler: Scheduler) -> None:
        class Page(Task):
            def __init__(self, filename: str = "a") -> None: ...

            @property
            def filename(self) -> str:
                raise AssertionError("called under the lock")

        assert self.told(scheduler, Page()) == (Parameter("filename", ParameterType.STR, (), "a"),)


class TestTheParametersOfARun:
    def test_are_those_of_its_demand(self, scheduler: Scheduler) -> None:
        seen: list[object] = []

        class Asks(Task):
            def run(self) -> None:
                seen.append((dict(self.parameters), dict(current_run().parameters)))

        scheduler.add_on_demand_task(Asks(), "it")
        scheduler.demand_task("it", {"title": "a"})
        scheduler.run_task_now("it", {"title": "b"})
        scheduler.demand_task("it")
        assert seen == [({"title": "a"}, {"title": "a"}), ({"title": "b"}, {"title": "b"}), ({}, {})]

    def test_of_many_demands_meanwhile_the_last_counts(self, scheduler: Scheduler) -> None:
        """R2."""
        seen: list[object] = []

        class Asks(Task):
            def run(self) -> None:
                seen.append(dict(self.parameters))
                if len(seen) == 1:
                    self.handle.demand({"n": 1})
                    self.handle.demand({"n": 2})

        scheduler.add_on_demand_task(Asks(), "it")
        scheduler.demand_task("it")
        assert seen == [{}, {"n": 2}]

    def test_cannot_be_changed_by_the_task_nor_behind_its_back(self, scheduler: Scheduler) -> None:
        given = {"title": "a"}
        seen: list[object] = []

        class Asks(Task):
            def run(self) -> None:
                given["title"] = "b"
                seen.append(self.parameters["title"])
                self.parameters["title"] = "c"  # type: ignore[index]

        handle = scheduler.add_on_demand_task(Asks(), "it")
        scheduler.demand_task("it", given)
        assert seen == ["a"]
        assert handle.last_outcome is not None
        assert str(handle.last_outcome.exception).startswith("TypeError: a FrozenDict cannot be changed")

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (5, "parameters must be a mapping of names to values, not 5"),
            ([("a", 1)], r"parameters must be a mapping of names to values, not \[\('a', 1\)\]"),
            ({1: 2}, "parameters must have strings as names, not 1"),
        ],
    )
    def test_are_refused_if_they_are_none(self, scheduler: Scheduler, given: Any, words: str) -> None:
        """Section 9."""
        handle = scheduler.add_on_demand_task(lambda: None, "it")
        for command in (handle.demand, handle.run_now):
            with pytest.raises(TypeError, match=words):
                command(given)
        assert handle.run_count == 0

    def test_are_none_outside_any_run(self) -> None:
        assert dict(Task().parameters) == {}


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        ("kind", "text", "value"),
        [
            ("str", "  as typed ", "  as typed "),
            ("int", " 1_000 ", 1000),
            ("int", "-3", -3),
            ("float", "2.5", 2.5),
            ("float", "1e3", 1000.0),
            ("bool", "Yes", True),
            ("bool", "off", False),
            ("bool", "1", True),
            ("path", " ~/site ", "~/site"),
            ("choice", "RED", "RED"),
        ],
    )
    def test_becomes_the_value_that_is_meant(self, kind: str, text: str, value: object) -> None:
        parsed = parse_parameter(Parameter("it", ParameterType(kind), ("RED",), required=True), text)
        assert (parsed, type(parsed)) == (value, type(value))

    @pytest.mark.parametrize(
        ("kind", "text", "words"),
        [
            ("int", "2.5", "it must be a whole number, not '2.5'"),
            ("int", "two", "it must be a whole number, not 'two'"),
            ("int", "9" * 5_000, "it must be a whole number"),
            ("float", "two", "it must be a number, not 'two'"),
            ("float", "nan", "it must be a number, not 'nan'"),
            ("float", "inf", "it must be a number, not 'inf'"),
            ("bool", "maybe", "it must be yes or no, not 'maybe'"),
            ("choice", "red", "it must be one of RED, GREEN, not 'red'"),
            ("str", "", "it must not be empty"),
            ("int", " ", "it must not be empty"),
            ("path", "", "it must not be empty"),
        ],
    )
    def test_or_is_refused_in_words(self, kind: str, text: str, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            parse_parameter(Parameter("it", ParameterType(kind), ("RED", "GREEN"), required=True), text)

    @pytest.mark.parametrize(
        ("kind", "default", "value"),
        [("int", 5, 5), ("int", None, None), ("str", None, None), ("str", "a", "")],
    )
    def test_nothing_typed_means_the_default_unless_it_is_a_text(
        self, kind: str, default: object, value: object
    ) -> None:
        assert parse_parameter(Parameter("it", ParameterType(kind), (), default), "") == value


class TestWhatIsMadeOfIt:
    def test_a_task_with_what_choices_and_paths_stand_for(self) -> None:
        class Page(Task):
            def __init__(self, filename: str, folder: Path, colour: Colour, size: Literal[1, 2]) -> None:
                self.got = (filename, folder, colour, size)

        values = {"filename": "a", "folder": "/site", "colour": "GREEN", "size": "2"}
        task = make_task(Page, values)
        assert isinstance(task, Page)
        assert task.got == ("a", Path("/site"), Colour.GREEN, 2)

    def test_whose_constructor_has_its_own_defaults(self) -> None:
        class Page(Task):
            def __init__(self, words: tuple[str, ...] = ("a",), unhinted=frozenset()) -> None:  # type: ignore[no-untyped-def]
                self.got = (words, unhinted)

        task = make_task(Page, {})
        assert isinstance(task, Page)
        assert task.got == (("a",), frozenset())

    def test_also_where_a_form_gives_the_defaults_back(self) -> None:
        @dataclass
        class Page(Task):
            filename: str
            shade: Colour | None = None
            count: int = 3
            limit: int = field(default_factory=lambda: 5)  # which a form cannot know

        values = {
            each.name: parse_parameter(each, "a" if each.required else str(each.default or ""))
            for each in constructor_parameters(Page) or ()
        }
        assert make_task(Page, values) == Page("a")

    @pytest.mark.parametrize("values", [{}, {"filename": "a", "nonsense": 1}])
    def test_or_a_type_error_where_a_value_is_missing_or_unknown(self, values: dict[str, object]) -> None:
        class Page(Task):
            def __init__(self, filename: str) -> None: ...

        with pytest.raises(TypeError, match=r"filename|nonsense"):
            make_task(Page, values)


def test_a_retry_is_given_what_the_failed_run_was_given() -> None:
    """Section 6: a retry is another try of the same run."""
    seen: list[object] = []

    def fail() -> None:
        seen.append(dict(current_run().parameters))
        raise OSError

    clock = ManualClock()
    with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
        scheduler.add_on_demand_task(fail, "it", retries=1, retry_delay=5)
        scheduler.demand_task("it", {"a": 1})
        clock.advance(5)

    assert seen == [{"a": 1}, {"a": 1}]


class TestWhatARunFinds:
    """What is declared with a default is there in each run, whatever started it."""

    class Report(Task):
        run_parameters: ClassVar = {
            "month": str,
            "draft": False,
            "colour": Colour.RED,
            "mode": Literal["fast", "slow"],
            "folder": Path("/site"),
            "words": ["a"],
        }

        def __init__(self) -> None:
            self.found: list[dict[str, object]] = []

        def run(self) -> None:
            self.found.append(dict(self.parameters))

    DEFAULTS: ClassVar = {"draft": False, "colour": Colour.RED, "folder": Path("/site"), "words": ["a"]}

    def test_whoever_starts_it_finds_the_defaults(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = self.Report()
        handle = scheduler.add_periodic_task(None, 60, task, "it")
        clock.advance(0)
        handle.run_now()
        handle.run_now({})
        handle.demand()
        handle.demand({"month": "2026-11", "draft": True, "more": 1})

        assert task.found[:4] == [self.DEFAULTS] * 4
        assert task.found[4:] == [{**self.DEFAULTS, "month": "2026-11", "draft": True, "more": 1}]

    def test_so_does_a_plain_callable_that_declares_some(self, scheduler: Scheduler) -> None:
        found: list[dict[str, object]] = []

        def report() -> None:
            found.append(dict(current_run().parameters))

        report.run_parameters = {"month": str, "pages": 3}  # type: ignore[attr-defined]
        handle = scheduler.add_on_demand_task(report, "it")
        handle.run_now()
        handle.run_now({"pages": 5})

        assert found == [{"pages": 3}, {"pages": 5}]

    def test_so_does_a_retry(self, scheduler: Scheduler, clock: ManualClock) -> None:
        found: list[object] = []

        class Fails(Task):
            run_parameters: ClassVar = {"pages": 3, "day": Elsewhere()}

            def run(self) -> None:
                found.append((self.parameters["pages"], self.parameters["day"]))
                raise RuntimeError

        scheduler.add_on_demand_task(Fails(), "it", retries=1).run_now({"pages": 5})
        # What is kept of it, to be stored, is what it was given.
        (kept,) = scheduler.watch_persistence().collect().changed
        assert kept.retry is not None
        assert dict(kept.retry.parameters) == {"pages": 5}
        clock.advance(10)

        assert found == [(5, Fails.run_parameters["day"])] * 2

    def test_what_a_form_gives_is_found_as_what_it_stands_for(self, scheduler: Scheduler) -> None:
        task = self.Report()
        handle = scheduler.add_on_demand_task(task, "it")
        details = scheduler.describe("it")
        assert details is not None
        typed = {
            "month": "2026-12",
            "draft": "yes",
            "colour": "GREEN",
            "mode": "slow",
            "folder": "",
            "words": "",
        }
        handle.run_now({each.name: parse_parameter(each, typed[each.name]) for each in details.parameters})

        assert task.found == [
            {
                "month": "2026-12",
                "draft": True,
                "colour": Colour.GREEN,
                "mode": "slow",
                "folder": Path("/site"),
                "words": ["a"],
            }
        ]

    @pytest.mark.parametrize("raised", [RuntimeError, SystemExit])
    def test_a_task_that_raises_when_it_is_looked_at_runs_with_what_it_was_given(
        self, scheduler: Scheduler, raised: type[BaseException]
    ) -> None:
        class Broken:
            found: ClassVar[list[object]] = []

            @property
            def run_parameters(self) -> dict[str, object]:
                raise raised

            def __call__(self) -> None:
                self.found.append(dict(current_run().parameters))

        scheduler.add_on_demand_task(Broken(), "it").run_now({"pages": 5})

        assert Broken.found == [{"pages": 5}]

    def test_the_defaults_are_read_in_the_run_and_outside_the_lock(self, scheduler: Scheduler) -> None:
        class Asks:
            @property
            def run_parameters(self) -> dict[str, object]:
                return {"count": scheduler.scheduled.get("it", current_run().handle).run_count}

            def __call__(self) -> object:
                return current_run().parameters["count"]

        handle = scheduler.add_on_demand_task(Asks(), "it")
        handle.run_now()

        assert handle.last_outcome is not None
        assert handle.last_outcome.result == 1
