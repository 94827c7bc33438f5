"""An executor that does with its bodies what a test does."""

from __future__ import annotations

from collections.abc import Mapping

from taskkit import Body, BodyResult, Executor, OutcomeKind


def forbidden() -> None:
    raise AssertionError


class Elsewhere(Executor):
    """Does with its bodies what the test does."""

    waits_for = "a far place"

    def __init__(self) -> None:
        self.bodies: list[Body] = []
        self.closed = 0
        self.attached: list[object] = []
        self.ends_at_close = False

    def attach(self, clock: object) -> None:
        self.attached.append(clock)

    def check(self, task: object) -> None:
        if task is forbidden:
            raise TypeError("forbidden cannot run far away")

    def check_parameters(self, parameters: Mapping[str, object]) -> None:
        if "lock" in parameters:
            raise TypeError("lock cannot travel")

    def start(self, body: Body) -> None:
        self.bodies.append(body)

    def close(self) -> None:
        self.closed += 1
        if self.ends_at_close:
            for body in self.bodies:
                body.end(BodyResult(OutcomeKind.FAILED, exception="killed at the end"))

    @property
    def last(self) -> Body:
        return self.bodies[-1]
