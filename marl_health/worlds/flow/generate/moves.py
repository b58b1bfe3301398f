"""Text of moves: one function per agent that tells which are possible, and what is seen of each lever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marl_health.worlds.flow.decisions import CallInMove, GoFirst, Levels, Move

if TYPE_CHECKING:
    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import Program


def write_masks(program: Program, writer: Writer) -> None:
    """Write ``mask_<agent>(world)``: what ``mask`` of the agent's moves does."""
    for number, agent in enumerate(program.agents):
        with writer.block(f"def mask_{number}(world):"):
            writer.lines("now = world._now", "out = [1]")
            for move in agent.moves:
                _mask(move, writer)
            writer.line("return out")
        writer.line("")


def _mask(move: Move, writer: Writer) -> None:
    if isinstance(move, Levels) and type(move).mask is Levels.mask:
        writer.line(f"state = world.levers[{move.lever}]")
        left = "" if move.at_most is None else f" and state.used < {move.at_most}"
        others = f"{writer.name(move.others)}[state.position]"
        writer.line(f"out += {others} if now >= state.locked_until{left} else {move.none!r}")
    elif type(move) is CallInMove:
        possible = "1" if move.at_most is None else f"1 if world.levers[{move.lever}].used < {move.at_most} else 0"
        writer.line(f"out.append({possible})")
    elif type(move) is GoFirst and move.at_most is None:
        there = f"world.candidates.get({move.slots}) or world.slot_list({move.slots})"
        writer.line(f"out += {writer.name(move.filled)}[len({there})]")
    else:
        writer.line(f"{writer.name(move)}.mask(world, out)")


def seen_of(move: Move) -> list[str] | None:
    """Expressions of what is seen of a move's lever, what ``look`` appends; ``None`` if it has to be asked."""
    if not isinstance(move, Levels) or type(move).look is not Levels.look:
        return None if move.sights else []
    state = f"world.levers[{move.lever}]"
    seen = [f"{state}.position / {move.last}"]
    if move.lead:
        seen.append(f"{state}.in_force / {move.last}")
    if move.at_least:
        seen.append(f"min(1.0, max(0.0, {state}.locked_until - now) / {move.lead + move.at_least!r})")
    if move.at_most is not None:
        seen.append(f"1.0 - {state}.used / {move.at_most}")
    return seen
