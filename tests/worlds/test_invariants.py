"""What must hold on every world at every moment, whatever the agents do."""

import math
from collections import Counter, defaultdict

import pytest

from marl_health.kernel.rota import RotaPool
from marl_health.worlds.flow.clocks import HealthClock
from marl_health.worlds.flow.decisions import SendTo
from marl_health.worlds.flow.fleets import FleetPool
from marl_health.worlds.flow.machines import MachinePool
from marl_health.worlds.flow.steps import Activity, Delay, FlowStep
from tests.worlds.fleets import audit_fleet
from tests.worlds.worlds import EVERY, Player, env_of, short, steps_of

SEEDS = range(3)


def audit(world):
    """Compare every counter of a world with what its entities say."""
    taken, cleaning = Counter(), Counter()
    waiting, classes = Counter(), defaultdict(Counter)
    for entity in world.entities.values():
        for token in entity.tokens():
            if token.place is not None:
                job = token.kind == token.place.job_kind
                (cleaning if job else taken)[token.place.index] += 1
            if token.held is not None:
                for pool, units in token.held.returned:
                    taken[pool.index] += units
            if token.line is not None:
                waiting[token.line.index] += 1
                classes[token.line.index][token.line.class_of(token)] += 1
                assert token.held is None and token.ticket is not None
    for entry in world.agenda:
        if type(entry[3]).__name__ == "Cleaning":
            cleaning[entry[3].pool.index] += 1
    for pool in world.pools:
        if isinstance(pool, FleetPool):
            audit_fleet(pool, world)
        else:
            assert pool.busy == taken[pool.index], pool.name
        assert pool.cleaning == cleaning[pool.index], pool.name
        assert pool.free == pool.capacity - pool.busy - pool.cleaning - pool.out, pool.name
        if isinstance(pool, MachinePool):
            audit_machines(pool, world)
        assert pool.waiting == sum(line.waiting for line in pool.lines), pool.name
        if pool.idle is not None:
            assert len(pool.idle) == max(0, pool.free) and len(set(pool.idle)) == len(pool.idle), pool.name
        if isinstance(pool, RotaPool):
            assert pool.capacity == world.capacity_of(pool.index) + len(pool.leaving), pool.name
            assert pool.leaving == pool.leaving & pool.on_duty - set(pool.idle), pool.name
    for line in world.lines:
        assert line.waiting == waiting[line.index] == sum(line.count), line.name
        assert line.count == [classes[line.index][cls] for cls in range(len(line.count))], line.name
        assert not (line.waiting and line.feasible() and line.head(world.now)), (
            f"{line.name}: somebody waits for nothing"
        )
    for span in world.spans:
        assert set(span.starts) <= set(world.entities)
    if world.tally is not None:
        audit_groups(world)


def audit_machines(pool, world):
    """Every unit is in use, free or out, and its next event is on the heap if it has any."""
    used = [unit for units in pool.given.values() for unit in units]
    out = [number for number, machine in pool.machines.items() if machine.out]
    assert sorted([*used, *out, *pool.idle]) == sorted(pool.machines), pool.name
    assert pool.out == len(out) == sum(pool.away), pool.name
    ahead = {entry[3] for entry in world.agenda if entry[3].epoch == entry[4]}
    for machine in pool.machines.values():
        assert (machine in ahead) == bool(machine.out or (pool.wear and machine.fails_at < math.inf)), pool.name
        assert not (machine.due and machine.number in pool.idle), pool.name
        assert machine.number not in used or pool.set_ups is None or machine.set_up in pool.set_ups.takes


def audit_groups(world):
    """What is kept by group agrees with those who are there, and adds up to what is kept of all."""
    by_cell, dying = world.tally.expected(world.now), Counter()
    assert sum(by_cell) == pytest.approx(world.expected_deaths.read(world.now), rel=1e-9, abs=1e-9)
    for entity in world.entities.values():
        assert world.cell(entity) == world.program.groups.cell(entity.values)
        for token in entity.tokens() if entity.counted else ():
            for clock in (token.clocks or {}).values():
                dying[world.cell(entity)] += clock.deadly if isinstance(clock, HealthClock) else 0.0
    hour = [later - now for now, later in zip(by_cell, world.tally.expected(world.now + 60.0), strict=True)]
    assert hour == pytest.approx([60.0 * dying[cell] for cell in range(len(by_cell))], abs=1e-9), "rates by group"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_counters_agree_with_those_who_are_there_and_nobody_is_lost(scenario, seed):
    env = env_of(scenario)
    cumulative = dict.fromkeys(env.possible_agents, 0.0)
    for step, (observations, rewards, infos) in enumerate(steps_of(env, seed, Player(seed))):
        found = env.conservation()
        assert found["arrived"] == sum(found[name] for name in ("discharged", "died", "left", "inside"))
        if step % 4 == 0:
            audit(env.game.running)
        for agent, observation in observations.items():
            assert observation.dtype == "float32" and env.observation_space(agent).contains(observation), agent
            assert math.isfinite(float(observation.sum()))
            mask = infos[agent]["action_mask"]
            assert mask[0] == 1 and mask.shape == (env.action_space(agent).n,)
            terms = [
                infos[agent]["reward_" + name] for name in ("clinical", "efficiency", "financial", "risk", "compliance")
            ]
            assert abs(sum(terms) - rewards.get(agent, 0.0)) <= 1e-9
            cumulative[agent] += rewards.get(agent, 0.0)
        assert env.state_space.contains(env.state())
    audit(env.game.running)
    score = env.game.program.score
    world = env.game.running
    for agent in env.possible_agents:
        whole = sum(line.worth * line.reading.result(world) for line in score if line.to is None or agent in line.to)
        assert cumulative[agent] == pytest.approx(whole, abs=1e-6), "an episode's rewards are the score of its measures"


def first_events(way):
    """Steps of which one is the first that the log tells of somebody who takes a way; none if the way leads out."""
    if isinstance(way, Activity | Delay):
        return {way.name}
    if isinstance(way, FlowStep):
        starts = [steps[0] for steps, _ in getattr(way, "branches", ())]
        ways = [*starts, *([] if way.way is None else [way.way])]
    else:
        ways = way.ways()
    return {name for further in ways for name in first_events(further)}


def ways_out(program):
    """{step: [(whether all else ends with it, first events)]} of how somebody who waits there goes elsewhere unserved.

    Who gives up leaves one line; whom an agent sends elsewhere leaves all, as work side by side ends with that.
    """
    found = defaultdict(list)
    for step in program.steps:
        if step.give_up is not None:
            found[step.name].append((False, first_events(step.give_up.way)))
    for move in (move for agent in program.agents for move in agent.moves if isinstance(move, SendTo)):
        lines = program.rosters[program.slot_lists[move.slots].roster].lines
        for step in program.steps:
            if isinstance(step, Activity) and step.line in lines:
                found[step.name].append((True, first_events(move.way)))
    return found


def waits_in_log(env):
    """{line: [(joined, left or None)]} of everybody, from the event log alone."""
    program = env.game.program
    line_of = {step.name: step.line for step in program.steps if isinstance(step, Activity)}
    elsewhere = ways_out(program)
    open_waits, found, served = {}, defaultdict(list), Counter()
    for time, entity, kind, event, _ in env.event_log():
        if event == "depart":
            for key in [key for key in open_waits if key[0] == entity]:
                found[line_of[key[1]]].extend((joined, time) for joined in open_waits.pop(key))
            continue
        if kind == "resource_use":
            served[line_of[event]] += 1
            if open_waits.get((entity, event)):
                found[line_of[event]].append((open_waits[entity, event].pop(0), time))
        if kind in ("queue", "resource_use"):
            for step, ways in elsewhere.items():
                for everything, events in ways:
                    if event in events and open_waits.get((entity, step)):
                        ended = [key for key in open_waits if key[0] == entity] if everything else [(entity, step)]
                        for key in ended:
                            found[line_of[key[1]]].extend((joined, time) for joined in open_waits.pop(key))
        if kind == "queue" and event in line_of:
            open_waits.setdefault((entity, event), []).append(time)
    for (_, step), joined in open_waits.items():
        found[line_of[step]].extend((time, None) for time in joined)
    return found, served


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_littles_law_holds_for_every_queue(scenario):
    """L from the kernel's integral of the number waiting; arrivals and waits from the event log."""
    env = env_of(scenario, events=True)
    for _ in steps_of(env, 5, Player(5)):
        pass
    world = env.game.running
    found, served = waits_in_log(env)
    queues = 0
    for line in world.program.lines:
        number = world.program.lines.index(line)
        family = [
            other for other in world.lines if other.index == number or (other.base and other.base.index == number)
        ]
        area = sum(other.minutes(world.now) for other in family)
        spent = [(world.now if left is None else left) - joined for joined, left in found[number]]
        assert area == pytest.approx(sum(spent), rel=1e-6, abs=1e-6), line.name
        if not spent:
            continue
        queues += 1
        came = len(spent) + max(0, served[number] - sum(left is not None for _, left in found[number]))
        length, rate, wait = area / world.now, came / world.now, sum(spent) / came
        assert abs(length - rate * wait) <= 0.01 * length, line.name
    assert queues >= 1


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_staff_are_busy_exactly_as_long_as_the_log_says(scenario):
    env = env_of(scenario, events=True)
    for _ in steps_of(env, 6, Player(6)):
        pass
    world = env.game.running
    program = world.program
    needs_of = {step.name: program.lines[step.line] for step in program.steps if isinstance(step, Activity)}
    begun, busy = defaultdict(list), Counter()
    for time, entity, kind, event, _ in env.event_log():
        if kind == "resource_use":
            begun[entity, event].append(time)
        elif kind == "resource_use_end":
            for pool, units in needs_of[event].needs:
                busy[pool] += units * (time - begun[entity, event][-1])
            begun[entity, event].pop()
    for entity in world.entities.values():
        for token in entity.tokens():
            if token.held is not None:
                for pool, units in token.held.needs:
                    busy[pool.index] += units * (world.now - token.began)
    places = {line.kept for line in program.lines} | {
        source.how.pool for source in program.sources if hasattr(source.how, "pool")
    }
    checked = 0
    for pool in world.pools:
        if pool.index not in places and not isinstance(pool, FleetPool):
            pool.integrate(world.now)
            assert pool.busy_minutes == pytest.approx(busy[pool.index], rel=1e-9, abs=1e-6), pool.name
            checked += 1
    if not checked:
        pytest.skip("nothing but places, which are somebody's until they leave")


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_the_log_agrees_with_the_counts(scenario):
    env = env_of(scenario, events=True)
    for _ in steps_of(env, 7, Player(7)):
        pass
    log, found = env.event_log(), env.conservation()
    times = [row[0] for row in log]
    assert times == sorted(times)
    outcomes = Counter(row[4] for row in log if row[3] == "depart")
    assert sum(row[3] == "arrival" for row in log) == found["arrived"]
    assert outcomes["discharged"] == found["discharged"] and outcomes["died"] == found["died"]
    assert outcomes.total() == found["discharged"] + found["died"] + found["left"]
    came = {}
    for time, entity, _, event, _ in log:
        if entity < 0:
            continue  # a machine, which was always there
        if event == "arrival":
            assert entity not in came
            came[entity] = time
        else:
            assert entity in came, "nobody does anything before coming"
        if event == "depart":
            came.pop(entity)
