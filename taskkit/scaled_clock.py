"""A clock that runs faster or slower than another: to show in a minute what takes an hour."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nextafter

from taskkit.checks import check_clock, check_number, is_finite
from taskkit.clock import Alarm, Clock, Gate, Instant, NextLook, SystemClock


class ScaledClock:
    """Runs `speed` times as fast as another clock, from the moment it is made. Thread-safe.

    Everything that a scheduler does by its clock keeps to that: due times, sleeps, timeouts, retries, and the
    times that are told. What a task does takes as long as ever. When somebody sets the other clock's wall
    clock, this one's jumps by just as many seconds.

    Args:
        speed: How many seconds pass here in one second of the other clock; more than 0.
        clock: The other clock; that of the machine unless given.

    Raises:
        TypeError: `speed` is not a number, or `clock` no clock.
        ValueError: It is zero, negative, infinite or not a number.
    """

    def __init__(self, speed: float, clock: Clock | None = None) -> None:
        check_number("speed", speed)
        if not is_finite(speed) or speed <= 0:
            raise ValueError(f"speed must be finite and more than 0, not {speed!r}")
        if clock is not None:
            check_clock(clock)
        self._speed = float(speed)
        self._clock = SystemClock() if clock is None else clock
        self._begin = self._clock.monotonic()

    @property
    def speed(self) -> float:
        """How many seconds pass here in one second of the other clock."""
        return self._speed

    def time(self) -> float:
        """The wall clock, in epoch seconds."""
        return self.now().wall

    def monotonic(self) -> float:
        """Seconds since some fixed instant; never goes back."""
        return self._scaled(self._clock.monotonic())

    def now(self) -> Instant:
        """This moment, by both clocks."""
        wall, steady = self._clock.now()
        scaled = self._scaled(steady)
        return Instant(wall - steady + scaled, scaled)

    def gate(self) -> _ScaledGate:
        """A closed gate whose timeout passes as fast as this clock does."""
        return _ScaledGate(self._clock.gate(), self._speed)

    def alarm(self, ring: Callable[[], NextLook], name: str) -> Alarm:
        """An alarm of the other clock, which rings when it is time by this one."""

        def ring_there() -> NextLook:
            at, watches_wall_clock = ring()
            return NextLook(None if at is None else self._instant_there(at), watches_wall_clock)

        return self._clock.alarm(ring_there, name)

    def _scaled(self, steady: float) -> float:
        return self._begin + (steady - self._begin) * self._speed

    def _instant_there(self, at: float) -> float:
        """The first instant of the other clock when it is `at` here, or later.

        Earlier by a rounding error, an alarm would ring for nothing, and again at once.
        """
        there = self._begin + (at - self._begin) / self._speed
        step = nextafter(there, inf) - there
        while self._scaled(there) < at:
            there += step
            step *= 2
        return there


class _ScaledGate:
    """A gate of the other clock, whose timeout is told in seconds of this one."""

    __slots__ = ("_gate", "_speed")

    def __init__(self, gate: Gate, speed: float) -> None:
        self._gate = gate
        self._speed = speed

    def open(self) -> None:
        self._gate.open()

    def wait(self, timeout: float | None) -> bool:
        return self._gate.wait(None if timeout is None else timeout / self._speed)
