"""A clock that runs faster or slower than another, to show in a minute what takes an hour."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nextafter

from taskkit._helpers.checks import check_clock, check_number, is_finite
from taskkit.clock import Alarm, Clock, Gate, Instant, NextLook, SystemClock


class ScaledClock:
    """Runs `speed` times as fast as another clock, from the moment it is made. Thread-safe.

    It applies to all that a scheduler does by its clock: due times, sleeps, timeouts, retries, and the times
    in events. The work of a task takes as long as ever. If the other clock's wall clock is set, this one's
    jumps by the same number of seconds.

    Args:
        speed: Seconds that pass here in one second of the other clock; more than 0.
        clock: The other clock; the system's by default.

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
        """Seconds that pass here in one second of the other clock."""
        return self._speed

    def time(self) -> float:
        """Return the wall clock, in epoch seconds."""
        return self.now().wall

    def monotonic(self) -> float:
        """Return the seconds since some fixed instant; they never go back."""
        return self._scaled(self._clock.monotonic())

    def now(self) -> Instant:
        """Return this moment by both clocks."""
        wall, steady = self._clock.now()
        scaled = self._scaled(steady)
        return Instant(wall - steady + scaled, scaled)

    def gate(self) -> _ScaledGate:
        """Return a closed gate whose timeout passes as fast as this clock."""
        return _ScaledGate(self._clock.gate(), self._speed)

    def alarm(self, ring: Callable[[], NextLook], name: str) -> Alarm:
        """Return an alarm of the other clock, which rings when it is time by this one."""

        def ring_there() -> NextLook:
            at, watches_wall_clock = ring()
            return NextLook(None if at is None else self._instant_there(at), watches_wall_clock)

        return self._clock.alarm(ring_there, name)

    def _scaled(self, steady: float) -> float:
        return self._begin + (steady - self._begin) * self._speed

    def _instant_there(self, at: float) -> float:
        """Return the first instant of the other clock at which it is `at` here, or later.

        If a rounding error made it earlier, the alarm would ring too early, and again at once.
        """
        there = self._begin + (at - self._begin) / self._speed
        step = nextafter(there, inf) - there
        while self._scaled(there) < at:
            there += step
            step *= 2
        return there


class _ScaledGate:
    """A gate of the other clock, with its timeout in seconds of this one."""

    __slots__ = ("_gate", "_speed")

    def __init__(self, gate: Gate, speed: float) -> None:
        self._gate = gate
        self._speed = speed

    def open(self) -> None:
        self._gate.open()

    def wait(self, timeout: float | None) -> bool:
        return self._gate.wait(None if timeout is None else timeout / self._speed)
