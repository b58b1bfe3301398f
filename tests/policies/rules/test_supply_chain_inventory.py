"""Where theory knows the best order, a world of the same item costs what theory says, and no other order costs less."""

from __future__ import annotations

from math import comb

import pytest

import marl_health
import policies
from orchestration.evaluation.compare import compare
from orchestration.evaluation.statistics import mean_interval
from policies.optimal.inventory import (
    best_base_stock,
    best_s_S,
    newsvendor,
    newsvendor_cost,
    perishable_cost,
    poisson,
    s_S_cost,
)
from tests.worlds.build import game_of, scenario

DAYS = 300
SEEDS = range(10)
SURE = 0.9995
"""Coverage of each interval; fourteen are looked at below."""
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def binomial(most):
    """Demand of a day on which each of so many comes with chance one half."""
    return [comb(most, units) / 2**most for units in range(most + 1)]


def one_item(tmp_path, stock, most, want):
    """Up to ``most`` patients a day come at noon and need a unit each; orders leave at 8 and are there at 10."""
    return scenario(
        tmp_path,
        clock={"starts": "Monday 08:00", "episode": f"{DAYS} days", "decide_every": f"{DAYS} days"},
        stock={"unit": {"lead": "2 h", "review": [{"at": "08:00"}], **stock}},
        entities={
            "patient": {
                "arrive": {"timetable": [{"at": "12:00", "count": most}], "no_show": "50%"},
                "begins": "want",
            }
        },
        pathway={
            "want": {"take": "unit", "mark": "served", "next": "home", **want},
            **({"lost": {"leave": "lost"}} if "or" in want else {}),
            "home": {"leave": "discharged"},
        },
        measures={"wait": {"from": "arrival", "to": "served"}},
        kpis={"spent": {"of": "spent"}, "waited": {"of": "wait.hours"}}
        | ({"lost": {"of": "lost.count"}} if "or" in want else {}),
    )


def costs_a_day(loaded, cost):
    """What each of some episodes costs by the day."""
    found = []
    for seed in SEEDS:
        game = game_of(loaded, seed, events=False)
        game.finish()
        found.append(cost(game.kpis()) / DAYS)
    return found


def assert_costs(found, expected):
    interval = mean_interval(found, SURE)
    assert interval.low <= expected <= interval.high, (interval, expected)
    assert interval.high - interval.low < 0.15 * expected, "it says something"


# ---------------------------------------------------------------- the newsvendor
PRICE, LOST, WASTE = 10.0, 60.0, 5.0


def stand(tmp_path, order):
    costs = {"unit": f"{PRICE} usd", "waste": f"{WASTE} usd"}
    stock = {"shelf_life": "21 h", "reorder": {"up_to": order}, "costs": costs}
    loaded = one_item(tmp_path, stock, 20, {"or": {"after": "0 min", "go": "lost"}})
    return costs_a_day(loaded, lambda kpis: kpis["spent"] + LOST * kpis["lost"])


@pytest.mark.slow
def test_the_newsvendors_order_costs_what_it_should_and_less_than_its_neighbours(tmp_path):
    demand = binomial(20)
    best = newsvendor(demand, PRICE, LOST, WASTE)
    by_order = {order: newsvendor_cost(order, demand, PRICE, LOST, WASTE) for order in range(21)}
    assert best == min(by_order, key=by_order.__getitem__)
    found = {order: stand(tmp_path, order) for order in (best - 2, best, best + 2)}
    for order, costs in found.items():
        assert_costs(costs, by_order[order])
        if order != best:
            more = mean_interval([a - b for a, b in zip(costs, found[best], strict=True)], SURE)
            assert more.low > 0, (order, more)


# ---------------------------------------------------------------- (s, S)
FIXED, HOLDING, BACKLOG = 60.0, 1.0, 9.0


def day_cost(position):
    """A day from 10 o'clock on: two hours before those of noon have come, and 22 after."""

    def rate(units):
        return HOLDING * max(0, units) + BACKLOG * max(0, -units)

    after = sum(chance * rate(position - units) for units, chance in enumerate(binomial(10)))
    return (2 * rate(position) + 22 * after) / 24


def warehouse(tmp_path, at, up_to):
    costs = {"order": f"{FIXED} usd", "holding": f"{HOLDING} usd per unit_day"}
    loaded = one_item(tmp_path, {"start": max(0, at), "reorder": {"at": at, "up_to": up_to}, "costs": costs}, 10, {})
    return costs_a_day(loaded, lambda kpis: kpis["spent"] + BACKLOG * kpis["waited"] / 24)


@pytest.mark.slow
def test_the_best_s_S_costs_what_it_should_and_less_than_its_neighbours(tmp_path):
    demand = binomial(10)
    at, up_to = best_s_S(demand, day_cost, FIXED)
    found = {}
    for pair in ((at, up_to), (at - 4, up_to), (at + 4, up_to), (at, up_to - 9), (at, up_to + 9)):
        found[pair] = warehouse(tmp_path, *pair)
        assert_costs(found[pair], s_S_cost(*pair, demand, day_cost, FIXED))
        if pair != (at, up_to):
            more = mean_interval([a - b for a, b in zip(found[pair], found[at, up_to], strict=True)], SURE)
            assert more.low > 0, (pair, more)


# ---------------------------------------------------------------- what perishes
@pytest.mark.slow
def test_the_best_base_stock_of_what_perishes_costs_what_it_should_and_less_than_its_neighbours(tmp_path):
    demand, life = binomial(6), 3
    best = best_base_stock(life, demand, LOST, 40.0)
    found = {}
    for level in (best, best - 2, best + 2):
        stock = {"shelf_life": "69 h", "reorder": {"up_to": level}, "costs": {"waste": "40 usd"}}
        loaded = one_item(tmp_path, stock, 6, {"or": {"after": "0 min", "go": "lost"}})
        found[level] = costs_a_day(loaded, lambda kpis: kpis["spent"] + LOST * kpis["lost"])
        assert mean_interval(found[level], SURE).low <= perishable_cost(level, life, demand, LOST, 40.0)
        assert mean_interval(found[level], SURE).high >= perishable_cost(level, life, demand, LOST, 40.0)
        if level != best:
            more = mean_interval([a - b for a, b in zip(found[level], found[best], strict=True)], SURE)
            assert more.low > 0, (level, more)


def test_what_lives_for_a_day_is_the_newsvendor():
    demand = poisson(7.0)
    costs = [newsvendor_cost(order, demand, 0.0, LOST, WASTE) for order in range(20)]
    assert [perishable_cost(order, 1, demand, LOST, WASTE) for order in range(20)] == pytest.approx(costs)
    assert best_base_stock(1, demand, LOST, WASTE) == newsvendor(demand, 0.0, LOST, WASTE)


@pytest.mark.parametrize("fixed", [5.0, 60.0, 200.0])
def test_the_search_for_s_S_finds_the_best_of_all(fixed):
    demand = binomial(10)
    pairs = [(s, up_to) for s in range(-5, 20) for up_to in range(s + 1, 50)]
    best = min(pairs, key=lambda pair: s_S_cost(*pair, demand, day_cost, fixed))
    assert best_s_S(demand, day_cost, fixed) == best


def test_without_a_fixed_cost_s_S_is_base_stock():
    at, up_to = best_s_S(binomial(10), day_cost, 0.0)
    assert up_to - at == 1


# ---------------------------------------------------------------- the blood bank
@pytest.fixture(scope="module")
def env():
    return marl_health.parallel_env("supply_chain_inventory")


def play(env, policy, seed=4):
    """What was ordered, by the day of the week and the hour."""
    observations, infos = env.reset(seed=seed)
    policy.reset(env, seed)
    found = {}
    while env.agents:
        actions = policy.act(env, observations, infos)
        name = env.action_names("blood_bank_0")[actions["blood_bank_0"]]
        minutes = env.game.now + 480
        found.setdefault((int(minutes // 1440) % 7, int(minutes % 1440) // 60), []).append(name)
        observations, _, _, _, infos = env.step(actions)
    return found


@pytest.mark.parametrize("name", ["rule", "nahmias", "base_stock:30/80"])
def test_orders_are_placed_before_a_cut_off(env, name):
    found = play(env, policies.make(name))
    for (day, hour), moves in found.items():
        for move in moves:
            if move.startswith("order platelets"):
                assert 4 <= hour <= 12 and day != 6
            if move.startswith("order red_cells"):
                assert 4 <= hour <= 12 and day in (0, 2, 4)
    assert any(move.startswith("order red_cells") for moves in found.values() for move in moves)
    assert any(move.startswith("order platelets") for moves in found.values() for move in moves)


@pytest.mark.parametrize("slip", ["base_stock", "base_stock:12", "base_stock:a/b", "base_stock:1/2/3"])
def test_a_slip_is_told_with_the_right_form(slip):
    with pytest.raises(policies.PolicyError, match="base_stock:24/70"):
        policies.make(slip)


@pytest.mark.slow
def test_rule_beats_wait_random_and_levels_far_too_low():
    loaded = marl_health.load("supply_chain_inventory")
    others = ["wait", "random", "base_stock:12/40"]
    result = compare(loaded, ["rule", *others], 25, seed=0).to_json()
    for other in others:
        assert result["paired"][other]["return"]["high"] < 0, (other, result["paired"][other]["return"])
