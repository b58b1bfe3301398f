"""Text of clocks that start and stop where a mark is set."""

from __future__ import annotations

from math import log1p
from typing import TYPE_CHECKING, Any

from marl_health.worlds.flow.clocks import Clock, HealthClock, HealthSpec, TimerSpec

if TYPE_CHECKING:
    from marl_health.worlds.flow.generate.writer import Writer


class ClockText:
    """Writes what ``start`` and ``stop`` of a clock do, in the common forms."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def act(self, act: Any, who: str) -> None:
        """Write a call of ``start`` or ``stop`` of some clock, or what it does."""
        spec = getattr(act, "__self__", None)
        if act == getattr(spec, "stop", None) and (isinstance(spec, TimerSpec) or not _mortal(spec)):
            self._stop(spec, who)
        elif isinstance(spec, TimerSpec) and act == spec.start:
            self._start_timer(spec, who)
        elif isinstance(spec, HealthSpec) and act == spec.start and _single(spec):
            self._start_health(spec, who)
        else:
            self.writer.line(f"{self.writer.name(act)}(world, {who})")

    def _stop(self, spec: Any, who: str) -> None:
        with self.writer.block(f"if {who}.clocks and {spec.index} in {who}.clocks:"):
            self.writer.line(f"{who}.clocks.pop({spec.index}).epoch += 1")

    def _new(self, spec: Any, who: str) -> None:
        """Stop the clock if it runs, and see to it that ``clocks`` is there."""
        writer = self.writer
        writer.line(f"clocks = {who}.clocks")
        with writer.block("if clocks is None:"):
            writer.line(f"{who}.clocks = clocks = {{}}")
        with writer.block(f"elif {spec.index} in clocks:"):
            writer.line(f"{writer.name(spec)}.stop(world, {who})")

    def _start_timer(self, spec: TimerSpec, who: str) -> None:
        writer = self.writer
        self._new(spec, who)
        writer.line(f"minutes = {writer.value(spec.after, who)}")
        with writer.block(f"if minutes < {writer.name(float('inf'))}:"):
            writer.lines(
                f"clock = {writer.name(Clock)}({writer.name(spec)}, {who}, now, {who}.values[:])",
                f"clocks[{spec.index}] = clock",
                "until = now + minutes",
            )
            writer.schedule("until", "clock", "0")

    def _start_health(self, spec: HealthSpec, who: str) -> None:
        writer = self.writer
        transition = spec.states[0][0]
        self._new(spec, who)
        writer.lines(
            f"clocks[{spec.index}] = clock = {writer.name(HealthClock)}({writer.name(spec)}, {who}, now)",
            f"left = -{writer.name(log1p)}(-{writer.value(transition.uniform, who)})",
            f"rate = {writer.value(transition.value, who)}",
            "clock.left = [left]",
            "clock.rates = [rate]",
            "clock.epoch = 1",
        )
        with writer.block("if rate > 0:"):
            writer.line("until = now + left / rate")
            writer.schedule("until", "clock", "1")


def _mortal(spec: Any) -> bool:
    """Whether some state of a health machine posts expected deaths."""
    return not isinstance(spec, HealthSpec) or any(t.mortal for state in spec.states for t in state)


def _single(spec: HealthSpec) -> bool:
    """Whether the first state of a health machine has one way out, at a hazard and not to death."""
    transitions = spec.states[0]
    return len(transitions) == 1 and not transitions[0].fixed and not transitions[0].mortal
