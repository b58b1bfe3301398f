"""Stock: units that steps take and give, that age, expire, are ordered, come later and cost money."""

from math import exp

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from marl_health.worlds.flow.stock_events import Delivery
from orchestration.check.ample import multiply_resources
from tests.worlds.build import comes, departures, game_of, play, scenario
from tests.worlds.redrawn import at, differs, left_after, redraws
from tests.worlds.stocks import HOME, PLATELETS, bank, served, shelf
from tests.worlds.worlds import BLOOD, Player, env_of, steps_of


# ---------------------------------------------------------------- taking and giving
def test_who_finds_nothing_waits_for_the_next_delivery(tmp_path):
    loaded = bank(tmp_path, PLATELETS, can=[{"order": "unit", "levels": [1, 3]}])
    game = play(loaded, moves=[(4, "bank_0", "order unit 3")])
    assert served(game) == {1: 60, 2: 120, 3: 540}, "ordered at 04:00, there at 09:00"
    assert shelf(game).balance() == {
        "start": 2, "received": 3, "used": 3, "wasted": 0, "on_hand": 2, "on_order": 0
    }  # fmt: skip


def test_who_waited_long_enough_goes_elsewhere(tmp_path):
    loaded = bank(
        tmp_path,
        PLATELETS,
        take={"or": {"after": "90 min", "go": "bought_in"}},
        pathway={"bought_in": {"wait": "30 min", "next": "elsewhere"}, "elsewhere": {"leave": "elsewhere"}},
    )
    game = play(loaded)
    assert departures(game) == {1: (60, "discharged"), 2: (120, "discharged"), 3: (180 + 120, "elsewhere")}
    assert shelf(game).shortages == 1 and shelf(game).waiting == 0


def test_all_or_nothing_and_nobody_overtakes_whoever_needs_more(tmp_path):
    stock = {"start": 3, "lead": "5 h"}
    wants = [1, 4, 1]
    each = [{"at": f"0{n + 1}:00", "on": "Monday", "has": {"units": units}} for n, units in enumerate(wants)]
    loaded = scenario(
        tmp_path,
        stock={"unit": stock},
        entities={
            "patient": {
                "arrive": {"timetable": each},
                "has": {"units": {"choice": {1: "50%", 4: "50%"}}},
                "begins": "want",
            }
        },
        pathway={"want": {"take": "unit", "units": "units", "next": "home"}, **HOME},
        agents={"bank": {"sees": ["hour"], "can": [{"order": "unit", "levels": [3]}]}},
    )
    game = play(loaded, moves=[(5, "bank_0", "order unit 3")])
    assert served(game) == {1: 60, 2: 600, 3: 600}, "4 units are there at 10:00, and then the fifth is taken too"
    assert shelf(game).balance()["on_hand"] == 3 + 3 - 6


def test_two_of_one_and_one_of_another_are_taken_together(tmp_path):
    loaded = scenario(
        tmp_path,
        stock={"cell": {"start": 2}, "filter": {"start": 0, "lead": "1 h"}},
        entities={"patient": {"arrive": comes("01:00"), "begins": "want"}},
        pathway={"want": {"take": ["cell", "filter", "cell"], "next": "home"}, **HOME},
        agents={"bank": {"sees": ["hour"], "can": [{"order": "filter", "levels": [1]}]}},
    )
    game = play(loaded, moves=[(2, "bank_0", "order filter 1")])
    assert departures(game) == {1: (180, "discharged")}
    cell, filter_ = (game.running.pools[number] for number in game.program.stocks)
    assert (cell.free, filter_.free) == (0, 0)
    assert (cell.shortages, filter_.shortages) == (0, 1), "only the filter was missing"


def test_what_is_given_goes_to_whoever_waits(tmp_path):
    loaded = scenario(
        tmp_path,
        stock={"unit": {"start": 0}},
        entities={
            "patient": {"arrive": comes("01:00", "01:30"), "begins": "want"},
            "donor": {"arrive": comes("05:00"), "begins": "donate"},
        },
        pathway={
            "want": {"take": "unit", "next": "home"},
            "donate": {"give": "unit", "units": 3, "next": "home"},
            **HOME,
        },
    )
    game = play(loaded)
    assert served(game) == {1: 300, 2: 300} and shelf(game).balance()["on_hand"] == 1


def test_units_kept_back_and_classes_work_as_for_any_resource(tmp_path):
    each = [
        {"at": time, "on": "Monday", "has": {"urgent": urgent}} for time, urgent in (("02:10", "no"), ("02:20", "yes"))
    ]
    loaded = scenario(
        tmp_path,
        stock={"unit": {"start": 1}},
        entities={"patient": {"arrive": {"timetable": each}, "has": {"urgent": {"chance": "50%"}}, "begins": "want"}},
        pathway={"want": {"take": "unit", "next": "home"}, **HOME},
        agents={"bank": {"sees": ["hour"], "can": [{"reserve": "unit", "for": "urgent", "levels": [0, 1]}]}},
    )
    assert list(departures(play(loaded))) == [1]
    assert list(departures(play(loaded, moves=[(1, "bank_0", "set unit.reserve 1")]))) == [2]


# ---------------------------------------------------------------- orders
def test_orders_leave_with_the_review_and_cost_once(tmp_path):
    loaded = bank(
        tmp_path,
        {**PLATELETS, "review": [{"at": "06:00"}], "costs": {"unit": "100 usd", "order": "40 usd"}},
        can=[{"order": "unit", "levels": [1, 2]}],
    )
    game = game_of(loaded)
    seen = []
    for hour in range(12):
        if hour in (2, 4):
            assert game.act("bank_0", game.action_names("bank_0").index("order unit 2"))
        game.advance()
        seen.append((shelf(game).on_order, shelf(game).free, shelf(game).orders, round(game.running.spent.value)))
    assert seen[2] == (2, 1, 0, 0) or seen[2] == (2, 0, 0, 0)
    assert seen[4] == (4, 0, 0, 0), "two orders wait for 06:00"
    assert seen[6] == (4, 0, 1, 440), "and leave as one"
    assert seen[11] == (0, 3, 1, 440), "there at 11:00; one was waited for"


def test_a_decision_at_the_very_time_of_the_review_is_in_time(tmp_path):
    loaded = bank(tmp_path, {**PLATELETS, "review": [{"at": "06:00"}]}, can=[{"order": "unit", "levels": [1]}])
    assert served(play(loaded, moves=[(6, "bank_0", "order unit 1")]))[3] == 660
    assert 3 not in served(play(loaded, moves=[(7, "bank_0", "order unit 1")])), "the next one is tomorrow"


def test_reviews_on_weekdays(tmp_path):
    stock = {**PLATELETS, "start": 0, "review": [{"at": "06:00", "on": "Wednesday"}], "reorder": {"up_to": 3}}
    loaded = bank(tmp_path, stock, clock={"episode": "6 days", "decide_every": "1 h"})
    game = play(loaded)
    assert set(served(game).values()) == {2 * 1440 + 660}
    assert shelf(game).ordered == 3 + 3, "for the three who wait and for the shelf"


def test_a_rush_order_leaves_at_once_and_has_its_own_lead_time_and_price(tmp_path):
    loaded = bank(
        tmp_path,
        {**PLATELETS, "review": [{"at": "23:00"}], "costs": {"unit": "100 usd"}},
        can=[{"order": "unit", "levels": [1], "lead": "30 min", "costs": "250 usd", "at_most": 1}],
        sees=["unit.on_order"],
    )
    game = play(loaded, moves=[(4, "bank_0", "rush unit 1")])
    assert served(game)[3] == 270
    assert game.running.spent.read(game.running.now) == 350
    assert not game.act("bank_0", 1), "one only"


def test_no_more_is_ordered_than_there_is_room_for(tmp_path):
    game = game_of(bank(tmp_path, {**PLATELETS, "room": 6}, can=[{"order": "unit", "levels": [2, 4, 5]}]))
    assert game.mask("bank_0") == [1, 1, 1, 0]
    assert game.act("bank_0", 1)
    assert game.mask("bank_0") == [1, 1, 0, 0]
    assert not game.act("bank_0", 2)


def test_the_s_S_rule_looks_at_what_is_on_order_and_what_is_owed(tmp_path):
    loaded = bank(
        tmp_path, {"start": 3, "lead": "5 h", "reorder": {"at": 1, "up_to": 5}}, times=[f"0{n}:00" for n in range(1, 8)]
    )
    game = play(loaded)
    assert served(game) == {1: 60, 2: 120, 3: 180, 4: 420, 5: 420, 6: 420, 7: 420}, "4 ordered at 02:00, there at 07:00"
    assert shelf(game).orders == 2 and shelf(game).ordered == 8, "again at 06:00, when 4 came and 3 waited"


# ---------------------------------------------------------------- money, sights, readings
def test_holding_is_paid_by_the_unit_and_hour_and_what_is_left_is_credited(tmp_path):
    stock = {"start": 2, "lead": "5 h", "costs": {"unit": "100 usd", "holding": "6 usd per unit_hour"}}
    loaded = bank(
        tmp_path,
        stock,
        clock={"episode": "10 h", "decide_every": "1 h", "run_out": "4 h"},
        can=[{"order": "unit", "levels": [2]}],
        kpis={"spent": {"of": "spent"}, "held": {"of": "unit.unit_hours"}, "mean": {"of": "unit.mean_on_hand"}},
    )
    game = play(loaded, moves=[(2, "bank_0", "order unit 2"), (7, "bank_0", "order unit 2")])
    held = 1 + 2 + 0 + 3 * 1  # two until 01:00, one until 02:00; the third patient is served at 07:00, one is left
    assert game.kpis() == pytest.approx({"spent": 6 * held + 400 - 300, "held": held, "mean": held / 10})


def test_it_is_seen_and_read(tmp_path):
    names = ("used", "wasted", "received", "ordered", "orders", "stock_outs")
    loaded = bank(
        tmp_path,
        PLATELETS,
        times=("01:00", "02:00", "03:00", "04:00"),
        can=[{"order": "unit", "levels": [3]}],
        sees=["unit.on_hand", "unit.on_order", "unit.waiting"],
        kpis={name: {"of": f"unit.{name}"} for name in names} | {"wait": {"of": "unit.mean_wait"}},
    )
    game = game_of(loaded)
    seen = []
    for hour in range(24):
        if hour == 4:
            game.act("bank_0", 1)
        game.advance()
        seen.append(game.look("bank_0"))
    assert (seen[0], seen[3], seen[5], seen[9]) == ([2, 0, 0], [0, 0, 1], [0, 3, 2], [1, 0, 0])
    counts = dict(zip(names, (4, 0, 3, 3, 1, 2), strict=True))
    assert game.kpis() == counts | {"wait": (360 + 300) / 4}


# ---------------------------------------------------------------- what must hold on every world
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_whatever_is_ordered(seed):
    env = env_of(str(BLOOD))
    for _ in steps_of(env, seed, Player(seed)):
        for number in env.game.program.stocks:
            stock = env.game.running.pools[number]
            found = stock.balance()
            assert found["start"] + found["received"] == found["used"] + found["wasted"] + found["on_hand"]
            assert found["on_hand"] == stock.capacity >= 0
            assert not stock.batches or sum(batch.units for batch in stock.batches) == stock.free
            assert [batch.expires for batch in stock.batches] == sorted(batch.expires for batch in stock.batches)
            under_way = [
                entry[3].units
                for entry in env.game.running.agenda
                if isinstance(entry[3], Delivery) and entry[3].stock is stock
            ]
            assert found["on_order"] == stock.basket + sum(under_way)
            assert stock.ordered - sum(under_way) <= found["received"]


def test_policies_that_order_at_the_same_time_meet_the_same_supplier(tmp_path):
    stock = {"start": 0, "lead": {"uniform": ["1 h", "9 h"]}}
    loaded = bank(tmp_path, stock, can=[{"order": "unit", "levels": [1, 2]}], times=("00:30",))
    alone = served(play(loaded, seed=5, moves=[(6, "bank_0", "order unit 1")]))
    both = play(loaded, seed=5, moves=[(2, "bank_0", "order unit 2"), (6, "bank_0", "order unit 1")])
    assert 360 + 60 < alone[1] < 360 + 540
    times = {round(alone[1], 6)}
    assert served(both)[1] <= alone[1] and len(times) == 1
    again = play(loaded, seed=6, moves=[(6, "bank_0", "order unit 1")])
    assert served(again)[1] != alone[1]


def test_a_delivery_under_way_is_redrawn_given_how_long_it_has_taken(tmp_path):
    stock = {"start": 0, "lead": {"exponential": {"mean": "10 h"}}}
    loaded = bank(
        tmp_path,
        stock,
        can=[{"order": "unit", "levels": [1]}],
        times=("00:30",),
        clock={"episode": "9 days", "decide_every": "1 h"},
    )
    for seed in range(50):
        game = at(loaded, 0.0, seed)
        assert game.act("bank_0", 1)
        game.running.advance(240.0)
        if shelf(game).on_order:
            break

    def left(world):
        return next(entry[0] - world.now for entry in world.agenda if isinstance(entry[3], Delivery))

    assert differs(redraws(game, left, 600), left_after(lambda x: 1 - exp(-x / 600), 240)) < 1.95


def test_plenty_never_runs_out_and_costs_nothing():
    env = marl_health.parallel_env(BLOOD)
    env.reset(seed=1)
    multiply_resources(env)
    while env.agents:
        env.step({})
    world = env.game.running
    for number in world.program.stocks:
        found = world.pools[number].balance()
        assert found["start"] + found["received"] == found["used"] + found["wasted"] + found["on_hand"]
        assert not world.pools[number].waiting
    assert env.kpis()["spent"] <= 0.0


# ---------------------------------------------------------------- slips
TAKES = {"want": {"take": "unit", "next": "home"}, **HOME}


@pytest.mark.parametrize(
    ("stock", "parts", "said"),
    [
        ({"start": 1, "reorder": {"up_to": 3}}, {}, "review and reorder need lead"),
        ({"start": 1, "lead": "1 h", "reorder": {"up_to": 3, "at": 3}}, {}, "`at` must be below `up_to`"),
        ({"start": 1, "age": "2 h"}, {}, "age needs a shelf_life"),
        ({"start": 1, "shelf_life": "0 min"}, {}, "may expire the moment it comes"),
        ({"start": 1, "costs": {"unit": "3 h"}}, {}, "needs an amount of money"),
        ({"start": 1, "lead": "1 h", "review": [{"at": "06:00", "on": "Mnday"}]}, {}, "did you mean Monday"),
        ({"start": 1}, {"pathway": {"want": {"take": "unti", "next": "home"}, **HOME}}, "did you mean 'unit'"),
        ({"start": 1}, {"pathway": {"want": {"wait": "1 h", "next": "home"}, **HOME}}, "no step takes 'unit'"),
        ({"start": 1}, {"pathway": {"want": {"use": "unit", "for": "1 h", "next": "home"}, **HOME}},
         "write take: unit"),
        ({"start": 1}, {"pathway": {"want": {"take": "unit", "units": 2, "next": "home"}, **HOME}}, "2 times in take"),
        ({"start": 1}, {"pathway": {"want": {"take": "unit", "units": "size", "next": "home"}, **HOME}},
         "drawn by choice"),
        ({"start": 1}, {"pathway": {"want": {"take": "unit", "age": "long", "next": "home"}, **HOME}},
         "with a shelf_life"),
        ({"start": 1}, {"pathway": {"want": {"take": "unit", "age": "size", "next": "home"}, **HOME}},
         "is no duration"),
        ({"start": 1}, {"pathway": {**TAKES, "want": {"give": "unti", "next": "home"}}}, "did you mean 'unit'"),
        ({"start": 1}, {"can": [{"order": "unit", "levels": [1]}]}, "give 'unit' a lead"),
        ({"start": 1, "lead": "1 h"}, {"can": [{"order": "unti", "levels": [1]}]}, "did you mean 'unit'"),
        ({"start": 1, "lead": "1 h"}, {"can": [{"order": "unit", "levels": [0, 1]}]},
         "1 or more|at least 1|equal to 1"),
        ({"start": 1, "lead": "1 h"}, {"can": [{"order": "unit", "levels": [2, 2]}]}, "must differ from each other"),
        ({"start": 1, "lead": "1 h", "room": 3}, {"can": [{"order": "unit", "levels": [4]}]}, "room for 3 units"),
        ({"start": 1}, {"can": [{"set": "unit.issue", "to": ["oldest", "newest"]}]}, "no unit is older"),
        ({"start": 1, "shelf_life": "1 day"}, {"can": [{"set": "unit.issue", "to": ["newest", "oldest"]}]},
         "the stock's own first"),
        ({"start": 1}, {"can": [{"set": "unit.extra", "levels": [0, 1]}]}, "is stock; what agents may do"),
        ({"start": 1}, {"sees": [{"see": "unit.on_hand", "within": ["1 h"]}]}, "of a stock with a shelf_life"),
        ({"start": 1}, {"sees": ["unit.on_hnd"]}, "did you mean 'unit.on_hand'"),
        ({"start": 1}, {"kpis": {"x": {"of": "unit.wsted"}}}, "did you mean 'unit.wasted'"),
        ({"start": 1}, {"staff": {"unit": {"count": 1}}}, "is also under staff"),
    ],
)  # fmt: skip
def test_slips(tmp_path, stock, parts, said):
    agents = {}
    if "can" in parts or "sees" in parts:
        can = parts.pop("can", [{"reserve": "unit", "for": "size > 1", "levels": [0, 1]}])
        agents = {"bank": {"sees": parts.pop("sees", ["hour"]), "can": can}}
    with pytest.raises(ScenarioError, match=said):
        scenario(
            tmp_path,
            stock={"unit": stock},
            entities={
                "patient": {
                    "arrive": comes("01:00"),
                    "has": {"size": {"uniform": [1, 3]}, "long": "1 h"},
                    "begins": "want",
                }
            },
            agents=agents,
            **{"pathway": TAKES, **parts},
        )
