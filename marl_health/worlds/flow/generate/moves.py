"""Text of moves: functions that tell which are possible to one agent or all, and what is seen of each lever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marl_health.worlds.flow.decisions import CallInMove, ChooseMove, Levels, Move, ShortenStay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import AgentSpec, Program


def write_masks(program: Program, writer: Writer) -> None:
    """Write ``mask_<agent>(world)``, what ``mask`` of its moves does, and ``mask_all(world)`` for all in turn."""
    numbers = range(len(program.agents))
    for number in numbers:
        _function(program, writer, f"mask_{number}", [number])
    _function(program, writer, "mask_all", numbers)


def _function(program: Program, writer: Writer, name: str, numbers: Sequence[int]) -> None:
    listed: set[int] = set()
    with writer.block(f"def {name}(world):"):
        writer.lines("now = world._now", "levers = world.levers", "out = []")
        for number in numbers:
            agent = program.agents[number]
            writer.line("out.append(1)")
            if program.turns is None:
                _masks(program, agent, writer, listed)
                continue
            with writer.block(f"if world.turns.due[{number}]:"):
                _masks(program, agent, writer, set())
            with writer.block("else:"):  # whoever was not asked can only wait
                writer.line(f"out += {[0] * sum(len(move.names) for move in agent.moves)!r}")
        writer.line("return out")
    writer.line("")


def _masks(program: Program, agent: AgentSpec, writer: Writer, listed: set[int]) -> None:
    """Which moves of one agent are possible; ``listed``: slot lists that have a name already."""
    for move in agent.moves:
        if isinstance(move, ChooseMove) and move.slots not in listed:
            listed.add(move.slots)
            write_slots(program, writer, move.slots, f"found_{move.slots}")
        _mask(move, writer)


def write_slots(program: Program, writer: Writer, slots: int, name: str) -> None:
    """Give a name to who is in the slots at this decision: what :meth:`FlowWorld.slot_list` finds."""
    spec = program.slot_lists[slots]
    if spec.accepts is None:
        found = f"[entry[2] for entry in world.rosters[{spec.roster}].entries[:{spec.top}]]"
    else:
        found = f"world.rosters[{spec.roster}].first({spec.top}, {writer.name(spec.accepts)})"
    writer.line(f"{name} = world.candidates.get({slots})")
    with writer.block(f"if {name} is None:"):
        writer.line(f"{name} = world.candidates[{slots}] = {found}")


def _mask(move: Move, writer: Writer) -> None:
    if isinstance(move, Levels) and type(move).mask is Levels.mask:
        writer.line(f"state = levers[{move.lever}]")
        left = "" if move.at_most is None else f" and state.used < {move.at_most}"
        others = f"{writer.name(move.others)}[state.position]"
        writer.line(f"out += {others} if now >= state.locked_until{left} else {move.none!r}")
    elif type(move) is CallInMove:
        possible = "1" if move.at_most is None else f"1 if levers[{move.lever}].used < {move.at_most} else 0"
        writer.line(f"out.append({possible})")
    elif isinstance(move, ChooseMove) and type(move).mask is ChooseMove.mask:
        left = "" if move.at_most is None else f" if levers[{move.lever}].used < {move.at_most} else {move.filled[0]!r}"
        writer.line(f"out += {_open(move, writer)}{left}")
    else:
        writer.line(f"{writer.name(move)}.mask(world, out)")


def _open(move: ChooseMove, writer: Writer) -> str:
    """For which slots something can be done now: what ``open`` of the move tells."""
    found = f"found_{move.slots}"
    if type(move).open is ChooseMove.open:
        return f"{writer.name(move.filled)}[len({found})]"
    if type(move) is ShortenStay:
        whole = "entity.until - entity.since" if move.planned is None else f"entity.values[{move.planned}]"
        ready = f"entity.marks[{move.mark_index}] is None and now - entity.since >= {move.at_least!r} * ({whole})"
        return f"[1 if {ready} else 0 for entity in {found}] + [0] * ({move.top} - len({found}))"
    return f"{writer.name(move)}.open(world, {found})"


def seen_of(move: Move) -> list[str] | None:
    """Expressions of what is seen of a move's lever, what ``look`` appends; ``None`` if it has to be asked."""
    if not isinstance(move, Levels | CallInMove | ChooseMove):
        return None if move.sights else []
    state, seen = f"world.levers[{move.lever}]", []
    if isinstance(move, Levels):
        if type(move).look is not Levels.look:
            return None
        seen.append(f"{state}.position / {move.last}")
        if move.lead:
            seen.append(f"{state}.in_force / {move.last}")
        if move.at_least:
            whole = repr(move.lead + move.at_least)
            left = f"(x := {state}.locked_until - now)"
            seen.append(f"0.0 if {left} <= 0.0 else x / {whole} if x < {whole} else 1.0")
    elif isinstance(move, CallInMove):
        if type(move).look is not CallInMove.look:
            return None
        seen.append(f"(x := {state}.active) / (x + 1.0)")
    elif type(move).look is not ChooseMove.look:
        return None
    if move.at_most is not None:
        seen.append(f"1.0 - {state}.used / {move.at_most}")
    return seen
